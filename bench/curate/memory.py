"""Levels 1 and 3 of `curate` over many short documents within a memory limit: time and peak memory of the whole run.

    memory.py [--documents N] [--threads N] [--limit SIZE] [--score lda|ngram] [--seconds BAR] [--folder DIR] [--build DIR]

The corpus is generated: words of two made-up vocabularies whose frequencies fall as those of a language do (Zipf),
about 100 bytes a document. Of 20 rows 12 are of the domain and 3 of another one, 2 are copies and 2 near copies of
rows within the last million, one breaks a rule or cannot be read. Prints one JSON object; exits with 1 where time or
memory is over the bar. With --folder the corpus is kept there and used again.
"""

import argparse
import bisect
import itertools
import json
import pathlib
import random
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLES = 2000  # documents of reference and background each
WORDS = 13      # a document
BAD = ("hm", "<div><p><b>%s</b></p></div><br/><br/>", "{broken %s", "$$ ## %% ^^ %s @@ !! ~~ ** ((", "caf\u00c3\u00a9 %s \ufffd\ufffd\ufffd\ufffd")


class Vocabulary:
    def __init__(self, rng, size):
        syllables = [a + b for a in "bcdfghklmnprstvw" for b in "aeiou"]
        self.words = ["".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(size)]
        self.sums = list(itertools.accumulate(1 / (rank + 1) for rank in range(size)))
        self.rng = rng

    def word(self):
        return self.words[bisect.bisect(self.sums, self.rng.random() * self.sums[-1])]

    def texts(self, count):
        """Documents, whose words are drawn many at a time."""
        for begin in range(0, count, 10000):
            now = min(10000, count - begin)
            drawn = self.rng.choices(self.words, cum_weights=self.sums, k=WORDS * now)
            for i in range(now):
                yield " ".join(drawn[i * WORDS:(i + 1) * WORDS]).capitalize() + "."


def row(number, text):
    return json.dumps({"id": f"d{number}", "text": text}, ensure_ascii=False) + "\n"


def write_corpus(folder, documents):
    rng = random.Random(20)
    domain, other = Vocabulary(rng, 30000), Vocabulary(rng, 30000)
    for name, vocabulary in (("reference", domain), ("background", other)):
        with open(folder / f"{name}.jsonl", "w", encoding="utf-8") as file:
            file.writelines(row(i, text) for i, text in enumerate(vocabulary.texts(SAMPLES)))
    inside, outside = domain.texts(documents), other.texts(documents)
    recent = []  # what copies are made of
    with open(folder / "corpus.jsonl", "w", encoding="utf-8") as file:
        for number in range(documents):
            kind = number * 7 % 20
            if kind < 12 or not recent:
                text = next(inside)
                if len(recent) < 1_000_000:
                    recent.append(text)
                else:
                    recent[rng.randrange(len(recent))] = text
            elif kind < 15:
                text = next(outside)
            elif kind < 17:
                text = recent[rng.randrange(len(recent))]
            elif kind < 19:
                words = recent[rng.randrange(len(recent))].split(" ")
                words[rng.randrange(WORDS)] = domain.word()
                text = " ".join(words)
            else:
                bad = rng.choice(BAD)
                if bad.startswith("{"):
                    file.write(bad % number + "\n")
                    continue
                text = bad.replace("%s", str(number))
            file.write(row(number, text))


def seconds_of_sections(run):
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return {line["section"]: round(line["seconds"], 1) for line in lines if "section" in line}


def measure(chosen, folder):
    corpus = folder / "corpus.jsonl"
    if not corpus.exists():
        write_corpus(folder, chosen.documents)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        run = pathlib.Path(place) / "run"
        settings = [f"--input={corpus}", f"--memory_limit={chosen.limit}", f"--topic.reference={folder / 'reference.jsonl'}",
                    f"--topic.background={folder / 'background.jsonl'}", f"--topic.score={chosen.score}"]
        done = subprocess.run([chosen.build.resolve() / "cupel", "curate", *settings, "--threads", str(chosen.threads), "--out", run,
                               "--json"], stdout=subprocess.PIPE, check=True)
        report = json.loads(done.stdout)["curate"]
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"input": report["input"], "kept": report["kept"], "rejected": report["rejected"], "dropped": report["dropped"],
                "bytes": corpus.stat().st_size, "passes": report["passes"], "seconds": round(report["seconds"], 1),
                "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
                "peak_memory_bytes": report["peak_memory_bytes"], "memory_limit": chosen.limit, "threads": report["threads"],
                "isa_row": report["isa_row"], "score": chosen.score, "sections": seconds_of_sections(run)}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--documents", default=2_000_000, type=int)
    options.add_argument("--threads", default=2, type=int)
    options.add_argument("--limit", default="512MB")
    options.add_argument("--score", default="lda", choices=("lda", "ngram"))
    options.add_argument("--seconds", default=600, type=float)
    options.add_argument("--folder", type=pathlib.Path)
    options.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = measure(chosen, folder)
    print(json.dumps(found))
    limit = float(chosen.limit.removesuffix("MB")) * 1e6
    if found["seconds"] > chosen.seconds or found["peak_memory_bytes"] > limit:
        sys.exit(1)


if __name__ == "__main__":
    main()
