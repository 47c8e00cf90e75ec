"""The text that fixtures are made from: tinyshakespeare, as shipped in data/ or found under CUPEL_DATA."""

import gzip
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tinyshakespeare():
    folders = [os.environ.get("CUPEL_DATA"), ROOT / "data", ROOT.parent / "shared" / "data"]
    tried = [pathlib.Path(f) / "tinyshakespeare" / "input.txt.gz" for f in folders if f]
    for path in tried:
        if path.exists():
            return gzip.decompress(path.read_bytes())
    raise SystemExit(f"tinyshakespeare not found; looked for {', '.join(map(str, tried))}; set CUPEL_DATA")
