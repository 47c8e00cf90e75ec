"""The peer of the bench: Hugging Face's `tokenizers` on one core, its fastest way. Protocol in README.md."""

import json
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # before the import

import tokenizers


def load(folder):
    tokenizer = tokenizers.Tokenizer.from_file(folder + "/tokenizer.json")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def main():
    folder, file, mode = sys.argv[1:]
    tokenizer = load(folder)
    with open(file, encoding="utf-8") as source:
        texts = json.load(source)
    ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    ways = {
        "encode": {"encode_batch_fast": lambda: tokenizer.encode_batch_fast(texts),
                   "encode_batch": lambda: tokenizer.encode_batch(texts),
                   "encode": lambda: [tokenizer.encode(text) for text in texts]},
        "decode": {"decode_batch": lambda: tokenizer.decode_batch(ids, skip_special_tokens=False),
                   "decode": lambda: [tokenizer.decode(sequence, skip_special_tokens=False) for sequence in ids]},
        "load": {"from_file": lambda: load(folder)}}[mode]

    def seconds(way, steps=1):
        begin = time.process_time()
        for _ in range(steps):
            ways[way]()
        return time.process_time() - begin

    tried = {way: min(seconds(way) for _ in range(2)) for way in ways}
    fastest = min(tried, key=tried.get)
    done = 1 if mode == "load" else sum(len(text.encode()) for text in texts)
    print(json.dumps({"version": f"tokenizers {tokenizers.__version__}", "way": fastest}), flush=True)
    for line in sys.stdin:
        steps = int(line.split()[1])
        print(json.dumps({"seconds": seconds(fastest, steps), "done": steps * done}), flush=True)


main()
