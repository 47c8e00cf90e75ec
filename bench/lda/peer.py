"""The peer's process, tomotopy on one thread: peer.py CORPUS TRAINING VOCABULARY TOPICS; protocol in README.md."""

import itertools
import json
import sys
import time

import tomotopy

corpus, training, vocabulary, topics = sys.argv[1], *map(int, sys.argv[2:])
with open(corpus) as file:
    documents = [line.split() for line in itertools.islice(file, training)]


def new_model():
    model = tomotopy.LDAModel(k=topics, alpha=0.1, eta=0.01, seed=1)
    for document in documents:
        model.add_doc(document)
    model.optim_interval = 0  # alpha stays, as on our side
    model.train(0, workers=1)
    return model


def topics_after(sweeps):
    model = new_model()
    model.train(sweeps, workers=1)
    rows = [[0.0] * vocabulary for _ in range(topics)]
    for k, row in enumerate(rows):
        for word, probability in zip(model.used_vocabs, model.get_topic_word_dist(k)):
            row[int(word)] = float(probability)
    return {"topics": rows}


def round_of(model, steps):
    begin = time.process_time()
    model.train(steps, workers=1)
    return {"seconds": time.process_time() - begin, "tokens": steps * model.num_words}


running = new_model()
print(json.dumps({"version": f"tomotopy {tomotopy.__version__}", "isa": tomotopy.isa}), flush=True)
for line in sys.stdin:
    word, count = line.split()
    answer = round_of(running, int(count)) if word == "round" else topics_after(int(count))
    print(json.dumps(answer), flush=True)
