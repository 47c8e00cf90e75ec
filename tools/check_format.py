"""C++ is formatted as .clang-format says (clang-format 14, as in Debian 12)."""

import concurrent.futures
import re
import shutil
import subprocess

import sources

tool = shutil.which("clang-format-14") or shutil.which("clang-format") or "clang-format"
if " 14." not in subprocess.run([tool, "--version"], capture_output=True, text=True).stdout:
    sources.finding("scripts/packages.txt", 1, "clang-format 14 is needed, other versions format differently; run scripts/setup")
    sources.finish()


def check(path):
    run = subprocess.run([tool, "--dry-run", str(path)], cwd=sources.ROOT, capture_output=True, text=True)
    return path, re.search(r":(\d+):\d+: ", run.stderr)


with concurrent.futures.ThreadPoolExecutor() as pool:
    for path, first in pool.map(check, sources.tracked(".h", ".cpp", ".cu")):
        if first:
            sources.finding(path, first[1], f"not formatted; run: clang-format -i {path}")
sources.finish()
