"""Runs every recipe, one at a time: run_recipes.py [--build DIR] [FILE…]

A recipe that would take long names a shorter form of itself in a comment, which is used here:

    # test: --train.max_steps=20
"""

import argparse
import json
import pathlib
import re
import shlex
import subprocess
import tempfile
import time

from results import Results

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS = 420

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
options.add_argument("files", nargs="*", type=pathlib.Path)
chosen = options.parse_args()


def run(path, folder):
    """What is wrong with the run of a recipe, or an empty text."""
    shorter = re.search(r"^# test:(.*)$", path.read_text(encoding="utf-8"), flags=re.M)
    command = [chosen.build / "cupel", "run", path, "--out", folder, *shlex.split(shorter[1] if shorter else "")]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return f"took over {SECONDS} s; give it a shorter form: # test: --train.max_steps=N"
    if done.returncode:
        return f"exit {done.returncode}: {done.stderr.strip()[-600:]}"
    if not (folder / "report.html").exists():
        return "left no report.html"
    return "" if json.loads((folder / "report.json").read_text(encoding="utf-8")) else "left an empty report.json"


results = Results("recipes")
for recipe in chosen.files or sorted(ROOT.glob("recipes/*.yaml")):
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="recipe-") as temporary:
        wrong = run(recipe.resolve(), pathlib.Path(temporary) / "run")
    results.add("failed" if wrong else "passed", recipe.name, wrong)
    print(f"{recipe.name:<32}{time.monotonic() - start:6.1f} s")
if not results.rows:
    results.add("failed", "recipes", "no recipes/*.yaml was found")
results.finish()
