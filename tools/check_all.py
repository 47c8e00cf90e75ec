"""Runs every tools/check_*.py, two at a time, and counts each as one test."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys
import time

from results import Results

tools = pathlib.Path(__file__).resolve().parent
checks = sorted(path for path in tools.glob("check_*.py") if path.name != "check_all.py")


def run(check):
    start = time.monotonic()
    return check, subprocess.run([sys.executable, check], capture_output=True, text=True), time.monotonic() - start


results = Results("checks")
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    for check, done, seconds in pool.map(run, checks):
        print(f"{check.name:<24}{seconds:6.1f} s")
        if done.returncode:
            print(done.stdout + done.stderr, end="")
            results.add("failed", check.name, f"{done.stdout.count(chr(10)) or 1} findings")
        else:
            results.add("passed", check.name)
results.finish()
