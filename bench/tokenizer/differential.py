"""Compares our Tokenizer with the Python `tokenizers` package on a million strings and on as many cuts of their ids:

    python bench/tokenizer/differential.py [--strings N] [--seed N] [--only NAME] [--program build/release/bench_tokenizer]

Needs the tokenizers of tools/oracle/published.py. Prints `NAME: N strings, D differences; …` for each of the five and
the first differences; exit status 1 if there are any.
"""

import argparse
import gzip
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unicodedata

import tokenizers

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "oracle"))
import published  # noqa: E402

BATCH = 50_000
ASSIGNED = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000
            and (unicodedata.category(chr(c)) not in ("Cn", "Co") or c % 64 == 0)]
SPACES = [" ", "  ", "\n", "\r\n", "\t", "\r", "\n\n", "\u00a0", "\u3000", "\u2028", "\x0b", "\x85", "\x1c", "   "]
MARKS = [chr(c) for c in ASSIGNED if unicodedata.combining(chr(c))]
EMOJI = [chr(c) for c in ASSIGNED if 0x1F000 <= c < 0x1FB00 or 0x2600 <= c < 0x27C0] + ["\u200d", "\ufe0f", "\U0001f3fd"]
CODE = ("def f(x):\n    return x ** 2  # a comment\n\n\tif (a[i] != b->c) { ++n; } // ...\nfor (int i = 0; i < 10; ++i)\r\n"
        "{\"key\": [1, 2.5e-3, null], 'x': \"\\u00e9\"}\n<div class=\"a b\">&nbsp;</div>\nSELECT * FROM t WHERE id=12345;\n"
        "#include <vector>\nauto x = std::move(y_);\nfn main() -> Result<(), Box<dyn Error>> { Ok(()) }\n$HOME/bin:%PATH%\n")


def texts_of_data():
    """Real text: English, Chinese, web pages, problems with numbers."""
    data = pathlib.Path(os.environ.get("CUPEL_DATA") or ROOT.parent / "shared" / "data")
    found = []
    for pattern in ("web_text/*.gz", "wiki_demo/*.gz", "instruct_demo/*.gz", "crosswoz/*.gz", "tinyshakespeare/*.gz",
                    "gsm8k/*.gz", "clinc_oos/*.gz", "medical_abstracts/*.gz"):
        for path in sorted(data.glob(pattern)):
            text = gzip.decompress(path.read_bytes()).decode("utf-8", errors="replace")
            found.append(text if "\\u" not in text[:100_000] else text.encode().decode("unicode_escape", "ignore")
                         .encode("utf-16", "ignore").decode("utf-16", "ignore"))
    if not found:
        raise SystemExit(f"no data below {data}; set CUPEL_DATA")
    return found


class Strings:
    """Seeded strings of many kinds; `special` are tokens that stand for themselves."""

    def __init__(self, seed, real, special):
        self.draw = random.Random(seed)
        self.real, self.special = real, special
        self.kinds = [self.any_character, self.any_character, self.near, self.code, self.real_text, self.real_text,
                      self.emoji, self.chinese, self.spaces, self.marks, self.tokens, self.mixed]

    def some(self, choices, most):
        return "".join(self.draw.choice(choices) for _ in range(self.draw.randrange(most)))

    def any_character(self):
        return "".join(chr(self.draw.choice(ASSIGNED)) for _ in range(self.draw.randrange(1, 24)))

    def near(self):  # characters of one block
        c = self.draw.randrange(0x110000)
        near = [chr(x) for x in range(c, min(c + 96, 0x110000)) if not 0xD800 <= x < 0xE000]
        return self.some([*(near or "a"), " ", "a", "1"], 24)

    def code(self):
        at = self.draw.randrange(len(CODE))
        return CODE[at:at + self.draw.randrange(1, 80)]

    def real_text(self):
        text = self.draw.choice(self.real)
        at = self.draw.randrange(len(text))
        return text[at:at + self.draw.choice((20, 60, 200, 600))]

    def emoji(self):
        return self.some([*(self.draw.choice(EMOJI) for _ in range(8)), "a", " "], 16)

    def chinese(self):
        return "".join(chr(self.draw.randrange(0x4E00, 0xA000)) if self.draw.random() < 0.8
                       else self.draw.choice("，。！？「」、かなカナ 1aＡ　\U00020000\U0002ceaf") for _ in range(self.draw.randrange(1, 40)))

    def spaces(self):
        return self.some([*SPACES, "a", "B", "1", "'s", "'", ".", "é", "中"], 20)

    def marks(self):
        return "".join(self.draw.choice("aeiouAEIOUcnλα가각각क") + self.some(MARKS, 4) for _ in range(self.draw.randrange(1, 8)))

    def tokens(self):
        return self.some([*self.draw.sample(self.special, min(4, len(self.special))), " ", "a ", "<", ">", "\n", "Hello"], 8)

    def mixed(self):
        return "".join(self.draw.choice(self.kinds[:-1])() for _ in range(self.draw.randrange(2, 5)))

    def next(self):
        return self.draw.choice(self.kinds)()


class Ours:
    def __init__(self, program, folder):
        self.process = subprocess.Popen([program, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def ask(self, verb, lines):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            source, target = pathlib.Path(folder) / "in", pathlib.Path(folder) / "out"
            source.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
            self.process.stdin.write(f"{verb} {source} {target}\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
            if not answer:
                raise SystemExit(f"{self.process.args}: ended with exit status {self.process.wait()}")
            return target.read_text(encoding="utf-8").split("\n")[:-1]


def cuts(draw, ids, vocab_size):
    """Sequences of ids: slices of texts, which split characters, and random ones."""
    for sequence in ids:
        if draw.random() < 0.7 and sequence:
            at = draw.randrange(len(sequence))
            yield sequence[at:at + draw.randrange(1, 12)]
        else:
            yield [draw.randrange(vocab_size + 8) for _ in range(draw.randrange(1, 8))]


def compare(name, folder, program, count, seed, real):
    reference = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    reference.no_truncation(), reference.no_padding()
    special = [token.content for token in reference.get_added_tokens_decoder().values()]
    ours = Ours(program, str(folder))
    strings = Strings(seed, real, special)
    found, compared = [], 0
    while compared < count:
        texts = [strings.next() for _ in range(min(BATCH, count - compared))]
        theirs = [encoding.ids for encoding in reference.encode_batch(texts)]
        mine = ours.ask("encode", [json.dumps(text) for text in texts])
        found += [("encode", text, a, b) for text, a, b in zip(texts, theirs, mine) if a != list(map(int, b.split()))]
        sequences = theirs + list(cuts(strings.draw, theirs, reference.get_vocab_size()))
        skip = [strings.draw.random() < 0.5 for _ in sequences]
        mine = ours.ask("decode", [" ".join(map(str, [int(s), *ids])) for s, ids in zip(skip, sequences)])
        for s, ids, b in zip(skip, sequences, mine):
            a = reference.decode(ids, skip_special_tokens=s)
            if a != json.loads(b):
                found.append(("decode", ids, a, json.loads(b)))
        compared += len(texts)
        if len(found) > 1000:
            break
    print(f"{name}: {compared} strings, {len(found)} differences; decoded {2 * compared} sequences", flush=True)
    for row in found[:8]:
        print(f"  {row[0]} {row[1]!a}\n    theirs {str(row[2])!a}\n    ours   {str(row[3])!a}")
    return len(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strings", type=int, default=1_000_000, help="for each tokenizer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--program", default=str(ROOT / "build" / "release" / "bench_tokenizer"))
    args = parser.parse_args()
    real = texts_of_data()
    found = [compare(name, folder, args.program, args.strings, args.seed, real)
             for name, folder in published.fetch_all().items() if args.only in name]
    sys.exit(1 if any(found) else 0)


if __name__ == "__main__":
    main()
