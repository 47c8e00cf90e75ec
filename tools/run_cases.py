"""Runs tests/cli/*.case: text in, exit code and lines out. run_cases.py [--build DIR] [FILE…]

A case runs in a fresh folder that holds links to recipes/ and data/. Its lines, in order:

    # what it shows
    needs: PATH                  skipped, by name, where PATH ($VARIABLES expanded) does not exist
    file NAME:                   writes NAME: the lines below, indented by two spaces
    bytes NAME: EXPRESSION       writes NAME: a Python expression that gives bytes (gzip, json, struct at hand,
                                 fixture(NAME): bytes of a file of tests/fixtures)
    env NAME: VALUE              for the runs below
    run: cupel WORDS             the programs of the build; several runs share the folder
    exit: CODE                   of the last run; 0 where it is not named
    stdout: LINE                 a whole line of the last run's output; … stands for any text
    stderr: LINE
    not stdout: LINE             no line is so (also `not stderr:`)
    report FIELD: CONDITION      report.json of the last run's --out, or standard output with --json;
                                 a JSON value, or a comparison as in `>= 0.5`
    exists: PATH                 also `absent:`; in the case's folder

A run that takes over 120 s fails.
"""

import argparse
import concurrent.futures
import gzip
import json
import operator
import os
import pathlib
import re
import shlex
import struct
import subprocess
import tempfile

from results import Results

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS = 120
COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


class Broken(Exception):
    """An expectation that does not hold, or a line that is not understood."""


class Skip(Exception):
    """Something the case needs is absent."""


def fixture(name):
    return (ROOT / "tests" / "fixtures" / name).read_bytes()


class Case:
    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.environment = {**os.environ, "NO_COLOR": "1"}
        self.words, self.done, self.expected_exit = [], None, 0

    def run(self, words):
        self.check_exit()
        self.words = shlex.split(words)
        program = self.build / self.words[0]
        if not program.exists():
            raise Broken(f"{program} is not built")
        try:
            self.done = subprocess.run([program, *self.words[1:]], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                                       capture_output=True, text=True, errors="replace", timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise Broken(f"took over {SECONDS} s: {words}")
        self.expected_exit = 0

    def check_exit(self):
        if self.done and self.done.returncode != self.expected_exit:
            raise Broken(f"exit {self.done.returncode}, expected {self.expected_exit}: {shlex.join(self.words)}\n{self.done.stderr[-1500:]}")

    def check_line(self, stream, line, wanted):
        output = getattr(self.done, stream)
        pattern = ".*".join(re.escape(part) for part in line.split("…"))
        found = any(re.fullmatch(pattern, each.strip()) for each in output.splitlines())
        if found != wanted:
            raise Broken(f"{stream} has {'no' if wanted else 'a'} line: {line}\n{stream} was:\n{output[-1500:]}")

    def check_report(self, field, condition):
        if "--json" in self.words:
            value = json.loads(self.done.stdout)
        else:
            out = next((word.split("=", 1)[1] for word in self.words if word.startswith("--out=")), None)
            out = out or self.words[self.words.index("--out") + 1]
            value = json.loads((self.folder / out / "report.json").read_text(encoding="utf-8"))
        for key in field.split("."):
            if key not in value:
                raise Broken(f"the report has no {field}; at {key} it has {', '.join(value)}")
            value = value[key]
        compare = re.fullmatch(r"(>=|<=|>|<)\s*(\S+)", condition)
        if not (COMPARE[compare[1]](value, float(compare[2])) if compare else value == json.loads(condition)):
            raise Broken(f"report {field} is {json.dumps(value)}, expected {condition}")

    def step(self, key, name, value, block):
        if key == "needs":
            if not os.path.exists(os.path.expandvars(value)):
                raise Skip(f"needs {value}")
        elif key in ("file", "bytes"):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes("".join(block).encode() if key == "file" else eval(value, {"gzip": gzip, "json": json, "struct": struct, "fixture": fixture}))
        elif key == "env":
            self.environment[name] = value
        elif key == "run":
            self.run(value)
        elif key == "exit":
            self.expected_exit = int(value)
            self.check_exit()
        elif key in ("stdout", "stderr"):
            self.check_line(key, value, True)
        elif key == "not":
            self.check_line(name, value, False)
        elif key == "report":
            self.check_exit()
            self.check_report(name, value)
        elif key in ("exists", "absent"):
            if (self.folder / value).exists() != (key == "exists"):
                raise Broken(f"{value} {'is not there' if key == 'exists' else 'is there'}")
        else:
            raise Broken(f'unknown line "{key}"; see the head of tools/run_cases.py')


def steps(text):
    """(line number, key, name, value, block) of each instruction in a case."""
    lines = text.splitlines(keepends=True)
    at = 0
    while at < len(lines):
        line, number = lines[at].rstrip("\n"), at + 1
        at += 1
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"(\w+)(?: ([^:]+))?:(?:\s(.*)|)", line)
        if not match:
            raise Broken(f"line {number} is not understood: {line}")
        block = []
        while match[1] == "file" and at < len(lines) and (lines[at].startswith("  ") or not lines[at].strip()):
            block.append(lines[at][2:] if lines[at].strip() else "\n")
            at += 1
        while block and not block[-1].strip():
            block.pop()
        yield number, match[1], match[2], (match[3] or "").strip(), block


def run_case(path, build):
    """(outcome, reason) of one case."""
    with tempfile.TemporaryDirectory(prefix="case-") as folder:
        for shared in ("recipes", "data"):
            os.symlink(ROOT / shared, os.path.join(folder, shared))
        case, number = Case(build, pathlib.Path(folder)), 0
        try:
            for number, key, name, value, block in steps(path.read_text(encoding="utf-8")):
                case.step(key, name, value, block)
            case.check_exit()
            return ("passed", "") if case.done else ("failed", "runs nothing")
        except Skip as skip:
            return "skipped", str(skip)
        except Exception as broken:  # a case that cannot be read is a failed case, not the end of all
            return "failed", f"line {number}: {broken}"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    options.add_argument("files", nargs="*", type=pathlib.Path)
    chosen = options.parse_args()
    files = chosen.files or sorted(ROOT.glob("tests/cli/**/*.case"))
    results = Results("cases")
    if not files:
        results.add("failed", "cases", "no tests/cli/*.case was found")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path, (outcome, reason) in zip(files, pool.map(lambda path: run_case(path, chosen.build.resolve()), files)):
            print(reason) if outcome == "failed" else None
            results.add(outcome, path.name, reason.split("\n")[0])
    results.finish()


main()
