"""docs/reference/ is what `cupel docs` makes of the settings in the code. --update writes it anew."""

import pathlib
import subprocess
import sys
import tempfile

import sources

FOLDER = sources.ROOT / "docs/reference"
PROGRAM = sources.ROOT / "build/release/cupel"
UPDATE = "build it and run tools/check_reference.py --update"


def texts(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} if folder.exists() else {}


def main():
    if not PROGRAM.exists():
        sources.finding("docs/reference", 1, f"{PROGRAM.relative_to(sources.ROOT)} is not built; {UPDATE}")
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = FOLDER if "--update" in sys.argv else pathlib.Path(temporary)
        subprocess.run([PROGRAM, "docs", folder], check=True, stdout=subprocess.DEVNULL)
        made, committed = texts(folder), texts(FOLDER)
    for name in sorted(made.keys() | committed.keys()):
        if name not in made:
            sources.finding(f"docs/reference/{name}", 1, "no verb has this page; delete it")
        elif made[name] != committed.get(name):
            sources.finding(f"docs/reference/{name}", 1, f"is not what the code says; {UPDATE}")


main()
sources.finish()
