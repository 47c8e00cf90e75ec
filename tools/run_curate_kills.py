"""Kills and stops runs of `cupel curate` at random moments, resumes them, and holds the outputs against an undisturbed run.

    run_curate_kills.py [--build DIR] --kills N --cuts M [--rows N] [--seed S]

A cut is SIGINT or SIGTERM: exit 130, then a resume. A kill is SIGKILL, up to four in one run's life, each followed by a
resume. At the end kept.jsonl, decisions.jsonl, rejects.jsonl and the report must be those of the undisturbed run, byte
for byte apart from times and rates, and nothing else may be left. The folder of a failing case is kept.
"""

import gzip
import json
import pathlib
import random
import shutil
import signal
import tempfile
import time

import killed_run
from killed_run import EXIT_INTERRUPTED, KILLS_A_LIFE, Wrong, parser, require_end, wait
from results import Results

TIMES = {"seconds", "documents_per_second", "peak_memory_bytes", "resumed_from"}
LETTERS = str.maketrans("0123456789", "aeioubdklm")
WHOLE = ("kept.jsonl", "decisions.jsonl", "rejects.jsonl", "recipe.yaml", "config.yaml")
RECIPE = """
curate:
  input: [plain.jsonl, packed.jsonl.gz, table.csv]
  against: earlier.jsonl
  format: {min_chars: 20}
  topic: {reference: reference.jsonl, background: background.jsonl, score: ngram, folds: 2}
  memory_limit: 64MiB
  save_seconds: 0
"""

options = parser(__doc__)
options.add_argument("--rows", default=24000, type=int)
chosen = options.parse_args()
program = chosen.build.resolve() / "cupel"
place = pathlib.Path(tempfile.mkdtemp(prefix="curate-kills-"))
chance = random.Random(chosen.seed)
results = Results("curate-kills")


def text(vocabulary, start):
    """Sixteen of a thousand words."""
    numbers = (f"{number:03}" for number in random.Random(start).choices(range(1000), k=16))
    return " ".join(vocabulary + number.translate(LETTERS) for number in numbers)


def rows(begin, end):
    """Every fifth is a copy, a near copy or of another domain; some break a rule, some cannot be read."""
    for number in range(begin, end):
        if number % 41 == 0:
            yield f"{{broken {number}"
            continue
        words = text("w", number // 3 if number % 5 == 0 else number)
        if number % 15 == 0:
            words += " more"
        elif number % 5 == 1 and number % 3 == 0:
            words = text("z", number)
        elif number % 37 == 0:
            words = "hm"
        yield json.dumps({"id": number, "text": words})


def lines(items):
    return "".join(item + "\n" for item in items)


def write_inputs():
    third = chosen.rows // 3
    (place / "plain.jsonl").write_text(lines(rows(0, third)), encoding="utf-8")
    (place / "packed.jsonl.gz").write_bytes(gzip.compress(lines(rows(third, 2 * third)).encode(), mtime=0))
    table = [f"{number},{text('w', number)}" for number in range(2 * third, 3 * third)]
    (place / "table.csv").write_text(lines(["id,text"] + table), encoding="utf-8")
    (place / "earlier.jsonl").write_text(lines(json.dumps({"text": text("w", i)}) for i in range(0, third, 50)), encoding="utf-8")
    for name, vocabulary in (("reference", "w"), ("background", "z")):
        documents = [json.dumps({"text": text(vocabulary, i + 5)}) for i in range(60)]
        (place / f"{name}.jsonl").write_text(lines(documents + ["{broken"]), encoding="utf-8")
    (place / "recipe.yaml").write_text(RECIPE, encoding="utf-8")


def start(folder):
    return killed_run.start(program, place / "recipe.yaml", folder, threads=2)


def run_to_the_end(folder):
    require_end(start(folder), folder)


def disturb(folder, seconds, signals):
    """Sends the signals, each to a process of its own; gives how many met a living one, and lets the run end."""
    met = 0
    for number in signals:
        process = start(folder)
        time.sleep(chance.random() * seconds)
        process.send_signal(number)
        code = wait(process)
        if code == 0:
            break
        if code != (-number if number == signal.SIGKILL or code < 0 else EXIT_INTERRUPTED):
            raise Wrong(f"exit {code} after signal {number}")
        met += 1
    run_to_the_end(folder)
    return met


def without_times(value):
    if isinstance(value, list):
        return [without_times(each) for each in value]
    return {k: without_times(v) for k, v in value.items() if k not in TIMES} if isinstance(value, dict) else value


def outcome(folder):
    found = {name: (folder / name).read_bytes() for name in WHOLE}
    found["report.json"] = without_times(json.loads((folder / "report.json").read_text(encoding="utf-8")))
    found["fingerprint"] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["fingerprint"]
    found["names"] = sorted(path.name for path in folder.iterdir())
    return found


def resumed_from(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))["curate"]["resumed_from"]


def attempt(number, expected, seconds, signals):
    """How many signals were survived to the same bytes, and where the last resume went on."""
    folder = place / f"run-{number}"
    try:
        met = disturb(folder, seconds, signals)
        found = outcome(folder)
        different = [name for name in expected if found[name] != expected[name]]
        if different:
            raise Wrong(f"differs from the undisturbed run: {', '.join(different)}")
        went_on = resumed_from(folder)
    except (Wrong, OSError, ValueError, KeyError) as wrong:
        results.add("failed", f"run {number}", f"{wrong!r}; kept in {folder}")
        return 0, None
    if met:
        results.add("passed", f"run {number}")
    shutil.rmtree(folder)
    folder.with_suffix(".log").unlink()
    return met, went_on


def main():
    write_inputs()
    begin = time.monotonic()
    run_to_the_end(place / "whole")
    seconds = time.monotonic() - begin
    expected = outcome(place / "whole")
    counts, passes, tries = {"cuts": 0, "kills": 0}, {}, 0
    while (counts["cuts"] < chosen.cuts or counts["kills"] < chosen.kills) and not results.count("failed"):
        kind = "cuts" if counts["cuts"] < chosen.cuts else "kills"
        most = min(chance.randint(1, KILLS_A_LIFE), getattr(chosen, kind) - counts[kind])
        signals = [signal.SIGKILL] * most if kind == "kills" else [chance.choice((signal.SIGINT, signal.SIGTERM))]
        met, went_on = attempt(tries, expected, seconds, signals)
        counts[kind] += met
        passes[went_on or "the beginning"] = passes.get(went_on or "the beginning", 0) + (met > 0)
        tries += 1
        if tries > 4 * (chosen.cuts + chosen.kills) + 8:
            results.add("failed", "curate-kills", f"runs end before they can be disturbed: {counts} after {tries} tries")
    print(f"seed {chosen.seed}: {counts['cuts']} cuts and {counts['kills']} kills of a run of {seconds:.1f} s ended in the bytes of the "
          f"undisturbed one; last resumes went on with {passes}")
    if results.count("failed"):
        print(f"kept: {place}")
    else:
        shutil.rmtree(place)
    results.finish()


main()
