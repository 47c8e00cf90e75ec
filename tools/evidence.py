"""Adds to a counter of docs/evidence.md: evidence.py NAME COUNT. The counters only grow."""

import datetime
import pathlib
import re
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs/evidence.md"


def main():
    if len(sys.argv) != 3 or not sys.argv[2].isdecimal() or int(sys.argv[2]) == 0:
        sys.exit(__doc__)
    name, count = sys.argv[1], int(sys.argv[2])
    row = re.compile(rf"^\| `{re.escape(name)}` \| (.*) \| ([\d,]+) \| (\d+) \| .* \|$", re.M)
    page = PAGE.read_text(encoding="utf-8")
    if not row.search(page):
        sys.exit(f"{PAGE.name} has no counter `{name}`; it has " + ", ".join(re.findall(r"^\| `(\w+)` \|", page, re.M)))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=PAGE.parent, capture_output=True, text=True).stdout.strip()
    last = f"{datetime.date.today().isoformat()}, {count:,} at {commit}"
    PAGE.write_text(row.sub(lambda m: f"| `{name}` | {m[1]} | {int(m[2].replace(',', '')) + count:,} | {int(m[3]) + 1} | {last} |", page),
                    encoding="utf-8")


main()
