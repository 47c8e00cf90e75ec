"""Speed of topic models: our collapsed Gibbs sampler against tomotopy's, on one core."""

import collections
import contextlib
import csv
import gzip
import io
import pathlib
import random
import re
import sys
import tempfile

import numpy

import bench

HERE = pathlib.Path(__file__).parent
TOPICS, ALPHA = 100, 0.1
TRAINING, HELD_OUT = 10_000, 500  # generated documents
SWEEPS = 60                       # before the likelihoods are compared
ROUND_SECONDS = 3.0


def abstracts():
    text = gzip.decompress(bench.data_file("medical_abstracts/medical_tc_test_part.csv.gz").read_bytes()).decode()
    return sorted({row["medical_abstract"] for row in csv.DictReader(io.StringIO(text))})


def generated():
    """(documents of ids, size of the vocabulary): words drawn from two abstracts at a time."""
    words = [re.findall(r"[^\W_]+", text.lower()) for text in abstracts()]
    counts = collections.Counter(word for document in words for word in set(document))
    terms = sorted(word for word, count in counts.items() if 3 <= count <= len(words) / 2)
    ids = {term: i for i, term in enumerate(terms)}
    known = [[ids[word] for word in document if word in ids] for document in words]
    known = [document for document in known if document]
    draw, documents = random.Random(1), []
    for _ in range(TRAINING + HELD_OUT):
        most, rest = draw.choice(known), draw.choice(known)
        documents.append([draw.choice(most if draw.random() < 0.7 else rest) for _ in most])
    return documents, len(terms)


def held_out_likelihood(topics, documents, rounds=50):
    """Nats a token over every second token, given the mixture of topics that fits the others best."""
    terms = numpy.array(topics).T
    total = tokens = 0
    for document in documents:
        given, asked = terms[document[::2]], terms[document[1::2]]
        mixture = numpy.full(terms.shape[1], 1 / terms.shape[1])
        for _ in range(rounds):
            shares = given * mixture
            mixture = (shares / shares.sum(1, keepdims=True)).sum(0) + ALPHA
            mixture /= mixture.sum()
        total += numpy.log(numpy.maximum(asked @ mixture, 1e-12)).sum()
        tokens += len(asked)
    return total / tokens


def tokens(rounds):
    documents, vocabulary = generated()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        corpus = pathlib.Path(folder) / "corpus.txt"
        corpus.write_text("".join(" ".join(map(str, document)) + "\n" for document in documents))
        options = [corpus, TRAINING, vocabulary, TOPICS]
        we = stack.enter_context(bench.Side([bench.built("bench_lda"), *options]))
        they = stack.enter_context(bench.Side([sys.executable, HERE / "peer.py", *options]))
        our_rates, peer_rates = bench.interleaved(we, they, rounds, ROUND_SECONDS)
        ours, peer = (held_out_likelihood(side.ask(f"topics {SWEEPS}")["topics"], documents[TRAINING:])
                      for side in (we, they))
        return bench.result("lda", "tokens", our_rates, peer_rates, [a / b for a, b in zip(our_rates, peer_rates)],
                            "tokens/s", peer_version=they.hello["version"], isa_row=we.hello["isa_row"],
                            peer_isa=they.hello["isa"], topics=TOPICS, corpus="generated from medical_abstracts",
                            corpus_tokens=sum(map(len, documents[:TRAINING])), sweeps=SWEEPS,
                            held_out_likelihood=round(ours, 4), peer_held_out_likelihood=round(peer, 4))


def run(rounds, wanted):
    if wanted in "tokens":
        yield tokens(rounds)
