"""Runs every fuzz target for a while, two at a time: run_fuzz.py BUILD [--seconds N] [--record]

A target is a program BUILD/fuzz/NAME; its seeds are the files of tests/fuzz/corpus/NAME. Those that
read what strangers send most often take twice as long. What a target finds is left in
BUILD/fuzz/findings/. With --record a run that finds nothing adds its executions to docs/evidence.md.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from results import Results

ROOT = pathlib.Path(__file__).resolve().parent.parent
TWICE = {"csv", "gguf", "jinja", "jsonl", "model_config", "recipe", "safetensors", "tokenizer"}

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("build", type=pathlib.Path)
options.add_argument("--seconds", type=int, default=10)
options.add_argument("--record", action="store_true")
chosen = options.parse_args()
folder = chosen.build.resolve() / "fuzz"
findings = folder / "findings"


def seconds_of(target):
    return chosen.seconds * (2 if target.name in TWICE else 1)


def run(target):
    """(executions, what went wrong or an empty text)."""
    seeds = ROOT / "tests/fuzz/corpus" / target.name
    with tempfile.TemporaryDirectory(prefix="fuzz-") as corpus:
        command = [target, corpus, *([seeds] if seeds.is_dir() else []), f"-max_total_time={seconds_of(target)}", "-timeout=10",
                   "-rss_limit_mb=2048", "-max_len=65536", "-print_final_stats=1", f"-artifact_prefix={findings}/{target.name}-"]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    executed = re.search(r"number_of_executed_units: *(\d+)", done.stderr)
    if done.returncode:
        print(done.stderr[-4000:])
        saved = re.search(r"Test unit written to (\S+)", done.stderr)
        return 0, f"exit {done.returncode}; run again with: {target} {saved[1] if saved else ''}"
    return int(executed[1]) if executed else 0, "" if executed and int(executed[1]) > 0 else "executed nothing"


results = Results("fuzz")
findings.mkdir(parents=True, exist_ok=True)
targets = sorted((path for path in folder.glob("*") if path.is_file() and os.access(path, os.X_OK)),
                 key=lambda path: (path.name not in TWICE, path.name))
total = 0
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    for target, (executed, wrong) in zip(targets, pool.map(run, targets)):
        results.add("failed" if wrong else "passed", target.name, wrong)
        print(f"{target.name:<24}{executed:>10} executions in {seconds_of(target)} s")
        total += executed
if not targets:
    results.add("failed", "fuzz", f"no fuzz target in {folder}; build with the asan preset")
print(f"{total} executions")
if chosen.record and total and not results.count("failed"):
    subprocess.run([sys.executable, ROOT / "tools/evidence.py", "fuzz_executions", str(total)], check=True)
results.finish()
