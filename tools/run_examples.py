"""Runs every program of examples/, each in the root of the tree with a fresh folder: run_examples.py [--build DIR]"""

import argparse
import pathlib
import subprocess
import tempfile

from results import Results

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS = 120
MOST_LINES = 80

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
build = options.parse_args().build.resolve()


def run(source):
    """What is wrong with an example, or an empty text."""
    lines = len(source.read_text(encoding="utf-8").splitlines())
    if lines > MOST_LINES:
        return f"{lines} lines, at most {MOST_LINES} are allowed; show less"
    program = build / "examples" / source.stem
    if not program.exists():
        return f"{program} is not built"
    with tempfile.TemporaryDirectory(prefix="example-") as temporary:
        try:
            done = subprocess.run([program, pathlib.Path(temporary) / "run"], cwd=ROOT, capture_output=True, text=True, errors="replace",
                                  timeout=SECONDS, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return f"took over {SECONDS} s"
        if not (pathlib.Path(temporary) / "run/report.json").exists():
            return f"exit {done.returncode}, left no report.json: {(done.stderr or done.stdout).strip()[-600:]}"
    return f"exit {done.returncode}: {(done.stderr or done.stdout).strip()[-600:]}" if done.returncode else ""


results = Results("examples")
for example in sorted(ROOT.glob("examples/*.cpp")):
    wrong = run(example)
    results.add("failed" if wrong else "passed", example.name, wrong)
if not results.rows:
    results.add("failed", "examples", "no examples/*.cpp was found")
results.finish()
