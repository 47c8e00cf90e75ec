"""Sentence vectors: our encoder in bf16 and in int8 against onnxruntime in fp32, same model, same texts, one core."""

import contextlib
import csv
import gzip
import json
import os
import pathlib
import statistics
import sys
import tempfile

import numpy as np
from tokenizers import Tokenizer

import bench

HERE = pathlib.Path(__file__).parent
THREADS = 1
EVERY = 24  # of the abstracts: 97 texts at their natural lengths
ROUND_SECONDS = 3.0
CASES = {"sentences": "bf16", "sentences_int8": "int8"}
# Multiply-adds a CPU with units for them does in the time of one of fp32.
SPEEDUP = {"bf16": 2, "int8": 4}


def model_folder():
    home = pathlib.Path(os.environ.get("CUPEL_HOME") or pathlib.Path.home() / ".cache" / "cupel")
    folder = home / "models" / "all-MiniLM-L6-v2"
    if not folder.exists():
        raise SystemExit(f"{folder} is missing; run scripts/setup --models")
    return folder


def abstracts():
    data = pathlib.Path(os.environ.get("CUPEL_DATA") or bench.ROOT.parent / "shared" / "data")
    path = data / "medical_abstracts" / "medical_tc_test_part.csv.gz"
    if not path.exists():
        raise SystemExit(f"{path} is missing; set CUPEL_DATA")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [row["medical_abstract"] for row in csv.DictReader(file)][::EVERY]


def flops(model, texts):
    """Multiply-adds (times 2) of the products on the tokens of all texts, none padded."""
    config = json.loads((model / "config.json").read_text())
    limit = json.loads((model / "sentence_bert_config.json").read_text())["max_seq_length"]
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(limit)
    lengths = np.array([len(tokenizer.encode(text).ids) for text in texts], dtype=np.float64)
    width, inner = config["hidden_size"], config["intermediate_size"]
    a_token = 4 * width * width + 2 * width * inner
    total = 2 * config["num_hidden_layers"] * (a_token * lengths.sum() + 2 * width * (lengths**2).sum())
    return total, lengths


def compare(case, rounds):
    precision = CASES[case]
    model, texts = model_folder(), abstracts()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "texts.json").write_text(json.dumps(texts))
        shared = ["--model", model, "--texts", folder / "texts.json", "--threads", THREADS]
        program = bench.built("bench_encoder")
        we, exact, half = (stack.enter_context(bench.Side([program, *shared, "--precision", name]))
                           for name in (precision, "fp32", "bf16"))
        they = stack.enter_context(bench.Side([sys.executable, HERE / "peer.py", *shared]))
        our_rates, peer_rates = bench.interleaved(we, they, rounds, ROUND_SECONDS, "sentences")
        vectors = [np.array(side.ask("vectors")["vectors"]) for side in (we, exact, they)]
        exact_rate = exact.ask("round 1")
        operations, lengths = flops(model, texts)
        ratio = [a / b for a, b in zip(our_rates, peer_rates)]
        row = bench.result("encoder", case, our_rates, peer_rates, ratio, "sentences/s",
                           peer_version=they.hello["version"], isa_row=we.hello["isa_row"], threads=THREADS,
                           tokens=int(lengths.sum()), longest=int(lengths.max()), peer_graph=they.hello["graph"],
                           peer_batch=they.hello["batch"], peer_tried=they.hello["tried"])
        row["cosine_min"] = float((vectors[0] * vectors[2]).sum(1).min())
        row["fp32_cosine_min"] = float((vectors[1] * vectors[2]).sum(1).min())
        row["fp32_ours"] = exact_rate["sentences"] / exact_rate["seconds"]
        if precision != "bf16":
            pairs = zip(*bench.interleaved(we, half, rounds, ROUND_SECONDS, "sentences"))
            row["ratio_to_bf16"] = round(statistics.median(a / b for a, b in pairs), 2)
        peak = bench.fma_peak_gflops(THREADS) * (SPEEDUP[precision] if row["isa_row"] == "avx512vnni" else 1)
        row["share_of_peak"] = round(row["ours"] * operations / len(texts) / 1e9 / peak, 3)
        return row


def run(rounds, wanted):
    for case in CASES:
        if wanted in case:
            yield compare(case, rounds)
