"""Curation against datatrove on one core: MinHash signatures, and the whole of level 1."""

import contextlib
import csv
import gzip
import io
import json
import pathlib
import random
import re
import tempfile

import bench

HERE = pathlib.Path(__file__).parent
TEXTS, BYTES = 500, 1200
ROUND_SECONDS = 2.0
# Of level 1: documents of each kind.
FRESH, COPIES, EDITED = 1500, 100, 150


def write_texts(path):
    """Sentences of a made-up vocabulary whose word frequencies fall as those of a language do (Zipf)."""
    rng = random.Random(20)
    syllables = [a + b for a in "bcdfghklmnprstvw" for b in "aeiou"]
    words = ["".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(20000)]
    weights = [1 / (rank + 1) for rank in range(len(words))]
    with open(path, "w") as file:
        for _ in range(TEXTS):
            text = ""
            while len(text) < BYTES:
                text += " ".join(rng.choices(words, weights, k=rng.randint(6, 20))).capitalize() + ". "
            file.write(text[:BYTES].strip() + "\n")


def sides(stack, option, path):
    python = bench.environment(HERE / "requirements.txt")
    ours = stack.enter_context(bench.Side([bench.built("bench_curate"), option, path]))
    peer = stack.enter_context(bench.Side([python, HERE / "peer.py", option, path]))
    return ours, peer


def compared(case, ours, peer, rounds, **more):
    our_rates, peer_rates = bench.interleaved(ours, peer, rounds, ROUND_SECONDS, "texts", equal_steps=False)
    ratio = [a / b for a, b in zip(our_rates, peer_rates)]
    return bench.result("curate", case, our_rates, peer_rates, ratio, "texts/s", peer_version=peer.hello["version"],
                        isa_row=ours.hello["isa_row"], **more)


def minhash(rounds):
    with contextlib.ExitStack() as stack:
        texts = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory())) / "texts.txt"
        write_texts(texts)
        return compared("minhash", *sides(stack, "--texts", texts), rounds, bytes_per_text=BYTES)


def read_csv(name):
    return list(csv.DictReader(io.StringIO(gzip.decompress(bench.data_file(name).read_bytes()).decode())))


def documents():
    """Paragraphs of sentences of the abstracts; among them copies, copies with two words in a hundred replaced, and rows
    of dirty_medical that are broken or come from the web."""
    rng = random.Random(1)
    abstracts = sorted({row["medical_abstract"] for row in read_csv("medical_abstracts/medical_tc_test_part.csv.gz")})
    sentences = [sentence for text in abstracts for sentence in re.split(r"(?<=[.?!]) +", text) if sentence]
    words = sorted({word for text in abstracts for word in text.split()})
    texts = []
    for _ in range(FRESH):
        paragraphs = []
        while sum(map(len, paragraphs)) < BYTES:
            paragraphs.append(" ".join(rng.choices(sentences, k=rng.randint(2, 5))))
        texts.append("\n".join(paragraphs)[:BYTES])
    texts += rng.choices(texts[:FRESH], k=COPIES)
    for text in rng.choices(texts[:FRESH], k=EDITED):
        texts.append(re.sub(r"\S+", lambda word: rng.choice(words) if rng.random() < 0.02 else word[0], text))
    truth = read_csv("dirty_medical/dirty_medical_truth.csv.gz")
    broken = {int(row["id"]) for row in truth if row["kind"] == "bad_format" or row["subkind"] == "web"}
    with gzip.open(bench.data_file("dirty_medical/dirty_medical.jsonl.gz"), "rt") as file:
        rows = [json.loads(line) for line in file]
    texts += [row["text"] for row in rows if row["id"] in broken]
    rng.shuffle(texts)
    return texts


def level1(rounds):
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory())) / "corpus"
        folder.mkdir()
        texts = documents()
        with open(folder / "corpus.jsonl", "w") as file:
            for number, text in enumerate(texts):
                file.write(json.dumps({"id": str(number), "text": text}, ensure_ascii=False) + "\n")
        ours, peer = sides(stack, "--level1", folder)
        kept = {side: side.ask("round 1")["kept"] for side in (ours, peer)}
        return compared("level1", ours, peer, rounds, documents=len(texts), kept=kept[ours], peer_kept=kept[peer],
                        bytes_per_text=round(sum(len(text.encode()) for text in texts) / len(texts)))


def run(rounds, wanted):
    for case in (minhash, level1):
        if wanted in case.__name__:
            yield case(rounds)
