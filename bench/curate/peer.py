"""The peer of the curate bench: datatrove's MinHash signatures with its defaults.

Speaks the protocol of README.md: one JSON line at start, then one JSON line for each line read.
"""

import argparse
import importlib.metadata
import json
import sys
import tempfile
import time

from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", required=True)
    args = parser.parse_args()
    with open(args.texts) as file:
        texts = file.read().splitlines()
    with tempfile.TemporaryDirectory() as folder:
        signer = MinhashDedupSignature(folder, MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8))
        signer.get_signature(signer.get_shingles(texts[0]))  # loads the tokenizer
        print(json.dumps({"version": importlib.metadata.version("datatrove"), "texts": len(texts)}), flush=True)
        for line in sys.stdin:
            word, steps = line.split()
            assert word == "round", line
            begin = time.process_time()
            for _ in range(int(steps)):
                for text in texts:
                    signer.get_signature(signer.get_shingles(text))
            answer = {"seconds": time.process_time() - begin, "texts": int(steps) * len(texts)}
            print(json.dumps(answer), flush=True)


main()
