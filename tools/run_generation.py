"""Trains the quickstart's model and generates text in every way there is: run_generation.py [--build DIR] [--steps N] [--prompts N]

Guesses by its prediction layer, batches and kept prefixes must not change a token of what it writes behind the prompts.
"""

import argparse
import os
import pathlib
import re
import subprocess
import tempfile

from results import Results

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEST = "TrainedDecoder.GuessesBatchesAndKeptPrefixesChangeNoToken"

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
options.add_argument("--steps", type=int, help="of the training; default: the recipe's")
options.add_argument("--prompts", default=1000, type=int)
chosen = options.parse_args()
build = chosen.build.resolve()


def checked(folder):
    """What is wrong, or an empty text."""
    train = [build / "cupel", "train", ROOT / "recipes/quickstart.yaml", "--out", folder, "--model.num_nextn_predict_layers=1"]
    if chosen.steps:
        train.append(f"--max_steps={chosen.steps}")
    done = subprocess.run(train, cwd=ROOT, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    if done.returncode:
        return f"training: exit {done.returncode}: {done.stderr.strip()[-600:]}"
    told = {**os.environ, "CUPEL_TRAINED_MODEL": str(folder / "model"), "CUPEL_PROMPTS": str(chosen.prompts)}
    done = subprocess.run([build / "cupel_tests", f"--gtest_filter={TEST}", f"--gtest_output=json:{folder}/generation.json"], cwd=ROOT,
                          capture_output=True, text=True, errors="replace", env=told)
    if done.returncode or "[  PASSED  ] 1 test" not in done.stdout:
        return done.stdout.strip()[-600:]
    report = (folder / "generation.json").read_text(encoding="utf-8")
    guesses, right = (re.search(rf'"{name}": "(\d+)"', report)[1] for name in ("guesses", "right_guesses"))
    print(f"{right} of {guesses} guesses were right")
    return ""


results = Results("generation")
with tempfile.TemporaryDirectory(prefix="generation-") as temporary:
    wrong = checked(pathlib.Path(temporary) / "run")
results.add("failed" if wrong else "passed", TEST, wrong)
results.finish()
