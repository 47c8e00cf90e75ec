"""Measures the headline figures in their quick form and counts each as one test: run_claims.py [--build DIR]"""

import argparse
import json
import pathlib
import subprocess

from results import Results

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS = 2400

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
build = options.parse_args().build

results = Results("claims")
done = subprocess.run([build / "cupel", "claims", "--quick", "--json"], cwd=ROOT, stdin=subprocess.DEVNULL,
                      stdout=subprocess.PIPE, text=True, timeout=SECONDS)
for row in json.loads(done.stdout)["claims"]["claims"] if done.stdout.strip() else []:
    name, figure = f"{row['id']} {row['metric']}", f"{row['value']}, bar {row['bar']}, interval {row['interval']}"
    if row["pass"] is None and row["value"] is not None:
        print(f"{name}: {row['value']}")  # told, and held against no bar
    elif row["pass"] is None:
        results.add("skipped", name, row.get("reason") or row["statement"])
    else:
        results.add("passed" if row["pass"] else "failed", name, figure)
        print(f"{name}: {figure}")
if done.returncode and not results.count("failed"):
    results.add("failed", "claims", f"cupel claims --quick ended with exit code {done.returncode}")
results.finish()
