"""How test programs report: one line a test, into the folder that scripts/test names in CUPEL_RESULTS."""

import os
import sys


class Results:
    """Collects passed, failed and skipped tests; prints failures and skips as they happen."""

    def __init__(self, stage):
        self.stage = stage
        self.rows = []

    def add(self, outcome, name, reason=""):
        reason = " ".join(reason.split())
        self.rows.append((outcome, name, reason))
        if outcome != "passed":
            print(f"{outcome}: {name}: {reason}", flush=True)

    def count(self, outcome):
        return sum(row[0] == outcome for row in self.rows)

    def finish(self):
        """Writes STAGE.tsv if CUPEL_RESULTS is set, prints the totals, exits 1 after a failure."""
        folder = os.environ.get("CUPEL_RESULTS")
        if folder:
            with open(os.path.join(folder, self.stage + ".tsv"), "w", encoding="utf-8") as out:
                out.writelines("\t".join(row) + "\n" for row in self.rows)
        print(", ".join(f"{self.count(k)} {k}" for k in ("passed", "failed", "skipped")))
        sys.exit(1 if self.count("failed") else 0)
