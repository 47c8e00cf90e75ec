"""Kills and stops runs at random moments, resumes them, and holds the result against an undisturbed run.

    run_kills.py [--build DIR] --kills N --cuts M [--seed S]

A cut is SIGINT or SIGTERM at a random progress: exit 130 after a full save, then a resume to the end. A kill is
SIGKILL at a random time, up to four in one run's life, each followed by a resume. Whatever was committed must be
whole after every kill; at the end weights, optimizer, metrics, predictions and report must be those of the
undisturbed run, to the bit, apart from times and rates. The folder of a failing case is kept.
"""

import pathlib
import random
import shutil
import signal
import tempfile
import time

import killed_run
from killed_run import EXIT_INTERRUPTED, KILLS_A_LIFE, TooLate, Wrong, attempt, parser, require_end, wait
from results import Results
from tiny_run import SAVE_STEPS, STEPS, VARIANTS, check_committed, check_outcome, checkpoints, outcome, read, write_recipes

options = parser(__doc__)
chosen = options.parse_args()
program = chosen.build.resolve() / "cupel"
place = pathlib.Path(tempfile.mkdtemp(prefix="kills-"))
chance = random.Random(chosen.seed)
results = Results("kills")


def start(variant, folder):
    return killed_run.start(program, place / f"{variant}.yaml", folder, threads=1)


def run_to_the_end(variant, folder):
    require_end(start(variant, folder), folder)


def cut(variant, folder, number):
    """Stops a run at a random progress, which must be saved, and goes on; returns the count of stops."""
    after = SAVE_STEPS * chance.randrange(STEPS // SAVE_STEPS * 3 // 4)
    process = start(variant, folder)
    ready = (lambda: max(checkpoints(folder), default=0) >= after) if after else (folder / "config.yaml").exists
    while process.poll() is None and not ready():
        time.sleep(0.001)
    time.sleep(chance.random() * 0.03)
    process.send_signal(signal.SIGTERM if number % 2 else signal.SIGINT)
    code = wait(process)
    if code == 0:
        raise TooLate
    if code != EXIT_INTERRUPTED:
        raise Wrong(f"exit {code} of a run that was told to stop")
    check_committed(folder)
    saved = max(checkpoints(folder), default=None)
    metrics = folder / "metrics.jsonl"
    if saved is None and metrics.exists() and metrics.stat().st_size:  # only before the first step is there nothing to save
        raise Wrong("was stopped after its first step and saved nothing")
    run_to_the_end(variant, folder)
    if read(folder / "report.json")["train"].get("resumed_from") != saved:
        raise Wrong(f"was saved at step {saved} and not resumed from there")
    return 1


def kill(variant, folder, seconds, most):
    """Kills a run and its resumes, then lets it end; returns how many kills met a living process."""
    kills = 0
    while kills < most:
        process = start(variant, folder)
        time.sleep(chance.random() * seconds)
        process.kill()
        code = wait(process)
        if code == 0:
            break
        if code != -signal.SIGKILL:
            raise Wrong(f"exit {code} before the kill")
        kills += 1
        check_committed(folder)
    run_to_the_end(variant, folder)
    return kills


def main():
    write_recipes(place, program)
    whole = {}
    for variant in VARIANTS:
        begin = time.monotonic()
        run_to_the_end(variant, place / f"{variant}-whole")
        whole[variant] = (outcome(place / f"{variant}-whole"), time.monotonic() - begin)
    counts = {"cuts": 0, "kills": 0}
    tries = 0
    while (counts["cuts"] < chosen.cuts or counts["kills"] < chosen.kills) and not results.count("failed"):
        variant = list(VARIANTS)[tries % len(VARIANTS)]
        kind = "cuts" if counts["cuts"] < chosen.cuts else "kills"
        expected, seconds = whole[variant]
        most = min(chance.randint(1, KILLS_A_LIFE), chosen.kills - counts["kills"])
        disturb = (lambda folder: cut(variant, folder, tries // 2)) if kind == "cuts" else (
            lambda folder: kill(variant, folder, seconds, most))
        counts[kind] += attempt(results, f"{variant} {kind} {tries}", place / f"{variant}-{tries}", disturb,
                                lambda folder: check_outcome(folder, expected))
        tries += 1
        if tries > 4 * (chosen.cuts + chosen.kills) + 8:
            results.add("failed", "kills", f"runs end before they can be disturbed: {counts} after {tries} tries")
    print(f"seed {chosen.seed}: {counts['cuts']} cuts and {counts['kills']} kills ended in the bits of the undisturbed run")
    if results.count("failed"):
        print(f"kept: {place}")
    else:
        shutil.rmtree(place)
    results.finish()


main()
