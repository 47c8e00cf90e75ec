"""Curation against datatrove: MinHash signatures, one core."""

import contextlib
import pathlib
import random
import tempfile

import bench

HERE = pathlib.Path(__file__).parent
TEXTS, BYTES = 500, 1200
ROUND_SECONDS = 2.0


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


def minhash(rounds):
    with contextlib.ExitStack() as stack:
        texts = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory())) / "texts.txt"
        write_texts(texts)
        python = bench.environment(HERE / "requirements.txt")
        ours = stack.enter_context(bench.Side([bench.built("bench_curate"), "--texts", texts]))
        peer = stack.enter_context(bench.Side([python, HERE / "peer.py", "--texts", texts]))
        our_rates, peer_rates = bench.interleaved(ours, peer, rounds, ROUND_SECONDS, "texts", equal_steps=False)
        ratio = [a / b for a, b in zip(our_rates, peer_rates)]
        return bench.result("curate", "minhash", our_rates, peer_rates, ratio, "texts/s",
                            peer_version=peer.hello["version"], isa_row=ours.hello["isa_row"], bytes_per_text=BYTES)


def run(rounds, wanted):
    if wanted in "minhash":
        yield minhash(rounds)
