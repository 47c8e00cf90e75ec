"""The peer of the curate bench: datatrove's MinHash signatures, or the whole of its level 1.

Speaks the protocol of README.md: one JSON line at start, then one JSON line for each line read.
"""

import argparse
import contextlib
import importlib.metadata
import io
import json
import pathlib
import sys
import tempfile
import time

from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup.exact_dedup import (ExactDedupConfig, ExactDedupFilter, ExactDedupSignature,
                                                  ExactFindDedups)
from datatrove.pipeline.dedup.minhash import (MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster,
                                              MinhashDedupFilter, MinhashDedupSignature)
from datatrove.pipeline.filters import (C4QualityFilter, FineWebQualityFilter, GopherQualityFilter,
                                        GopherRepetitionFilter)
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.typeshelper import Languages
from datatrove.utils.word_tokenizers import load_word_tokenizer

MINHASH = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)


def text_of(document: Document) -> str:
    return document.text


def filters():
    """Its four filters with the thresholds of the papers, as ours have them, and what only it has switched off. In the
    order that is fastest: words are cut once, and C4, which cuts sentences too, sees what the others leave."""
    return [GopherQualityFilter(), GopherRepetitionFilter(),
            FineWebQualityFilter(char_duplicates_ratio=0.1, new_line_ratio=float("inf")),
            C4QualityFilter(remove_citations=False, min_num_sentences=3, min_words_per_line=5, max_word_length=-1,
                            filter_policy=False)]


def level1(corpus, folder):
    """From the corpus to the rows that stay; gives their number. Nothing is compressed, each text is read three times,
    and one worker does everything in this process."""
    exact = ExactDedupConfig(content_getter=text_of)
    place = {name: str(folder / name) for name in ("passed", "hashes", "copies", "distinct", "signatures", "buckets",
                                                   "clusters", "kept")}
    reader = lambda name: JsonlReader(name, compression=None, add_file_path=False)
    writer = lambda name: JsonlWriter(place[name], compression=None)
    steps = [
        (1, [reader(str(corpus)), *filters(), writer("passed"), ExactDedupSignature(place["hashes"], exact)]),
        (1, [ExactFindDedups(place["hashes"], place["copies"], exact, lines_to_buffer=1000)]),
        (1, [reader(place["passed"]), ExactDedupFilter(place["copies"], exact), writer("distinct"),
             MinhashDedupSignature(place["signatures"], MINHASH)]),
        (MINHASH.num_buckets, [MinhashDedupBuckets(place["signatures"], place["buckets"], config=MINHASH,
                                                   lines_to_buffer=1000)]),
        (1, [MinhashDedupCluster(place["buckets"], place["clusters"], MINHASH, lines_to_buffer=1000)]),
        (1, [reader(place["distinct"]), MinhashDedupFilter(place["clusters"]), writer("kept")])]
    for number, (tasks, pipeline) in enumerate(steps):
        with contextlib.redirect_stderr(io.StringIO()):  # which it logs to, however it is told
            LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=str(folder / "logs" / str(number)),
                                  skip_completed=False).run()
    return sum(len(path.read_bytes().splitlines()) for path in (folder / "kept").glob("*.jsonl"))


def sign(texts):
    """Signs all texts, round after round."""
    with tempfile.TemporaryDirectory() as folder:
        signer = MinhashDedupSignature(folder, MINHASH)
    while True:
        for text in texts:
            signer.get_signature(signer.get_shingles(text))
        yield {}


def filter_all(corpus):
    """The whole of level 1, round after round."""
    while True:
        with tempfile.TemporaryDirectory() as folder:
            yield {"kept": level1(corpus, pathlib.Path(folder))}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=pathlib.Path)
    parser.add_argument("--level1", type=pathlib.Path)
    args = parser.parse_args()
    lines = (args.texts or next(args.level1.glob("*.jsonl"))).read_text().splitlines()
    step = sign(lines) if args.texts else filter_all(args.level1)
    load_word_tokenizer(Languages.english).word_tokenize(lines[0])  # reads what it needs
    print(json.dumps({"version": importlib.metadata.version("datatrove"), "texts": len(lines)}), flush=True)
    for line in sys.stdin:
        word, steps = line.split()
        assert word == "round", line
        begin = time.process_time()
        for _ in range(int(steps)):
            answer = next(step)
        answer |= {"seconds": time.process_time() - begin, "texts": int(steps) * len(lines)}
        print(json.dumps(answer), flush=True)


main()
