"""Speed of encoding, decoding and loading: our Tokenizer against Hugging Face's `tokenizers`, on one core."""

import contextlib
import gzip
import json
import os
import pathlib
import sys
import tempfile

import bench

sys.path.insert(0, str(bench.ROOT / "tools" / "oracle"))
import published  # noqa: E402

HERE = pathlib.Path(__file__).parent
ROUND_SECONDS = 1.0
CHARACTERS = 2000  # a text
SHARE = 120        # texts of each kind


def texts():
    """Web pages, encyclopedia, Chinese dialogue, plays and source code in pieces of equal length."""
    def unzipped(name):
        return gzip.decompress(bench.data_file(name).read_bytes()).decode("utf-8", errors="replace")

    web = "\n".join(json.loads(line)["text"] for line in unzipped("web_text/c4_demo.jsonl.gz").splitlines())
    chinese = "".join(message["content"] for dialogue in json.loads(unzipped("crosswoz/val.json.gz")).values()
                      for message in dialogue["messages"])
    code = "".join(path.read_text(encoding="utf-8") for path in sorted((bench.ROOT / "src").rglob("*.cpp")))
    found = []
    for text in (web, unzipped("wiki_demo/wiki_demo.txt.gz"), chinese, unzipped("tinyshakespeare/input.txt.gz"), code):
        found += [text[at:at + CHARACTERS] for at in range(0, len(text), CHARACTERS)][:SHARE]
    return found


def case(name, folder, mode, file, rounds):
    program = os.environ.get("CUPEL_BENCH_TOKENIZER") or bench.built("bench_tokenizer")
    with contextlib.ExitStack() as stack:
        we = stack.enter_context(bench.Side([program, folder, file, mode]))
        they = stack.enter_context(bench.Side([sys.executable, HERE / "peer.py", folder, file, mode]))
        ours, peer = bench.interleaved(we, they, rounds, ROUND_SECONDS, counted="done", equal_steps=False)
    ratios = [a / b for a, b in zip(ours, peer)]
    unit = "MB/s"
    if mode == "load":
        ours, peer, unit = [1000 / rate for rate in ours], [1000 / rate for rate in peer], "ms"
    else:
        ours, peer = [rate / 1e6 for rate in ours], [rate / 1e6 for rate in peer]
    return bench.result("tokenizer", f"{mode}_{name}", ours, peer, ratios, unit, peer_version=they.hello["version"],
                        peer_way=they.hello["way"], vocab_size=we.hello["vocab_size"])


def run(rounds, wanted):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "texts.json"
        file.write_text(json.dumps(texts()), encoding="utf-8")
        for name, tokenizer in published.fetch_all().items():
            for mode in ("encode", "decode", "load"):
                if wanted in f"{mode}_{name}":
                    yield case(name, tokenizer, mode, file, rounds)
