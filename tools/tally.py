"""Adds up the results of all stages: tally.py FOLDER prints every skipped and failed test, then one line of totals."""

import pathlib
import sys

rows = []
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.tsv")):
    for line in path.read_text(encoding="utf-8").splitlines():
        outcome, name, reason = line.split("\t")
        rows.append((outcome, f"{path.stem}: {name}", reason))
total = {outcome: sum(row[0] == outcome for row in rows) for outcome in ("passed", "failed", "skipped")}
for outcome in ("skipped", "failed"):
    for _, name, reason in (row for row in rows if row[0] == outcome):
        print(f"{outcome}  {name}: {reason}")
print(", ".join(f"{count} {outcome}" for outcome, count in total.items()))
sys.exit(1 if total["failed"] or not total["passed"] else 0)
