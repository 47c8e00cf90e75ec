"""Counts GoogleTest cases after ctest: count_gtest.py BUILD prints one line a case.

Fails if a case that a test program lists was run by no CTest entry, and counts an entry that left
no result file (it crashed) as one failed case.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml


def listed_cases(program):
    """Every case of a test program, disabled ones too, as Suite.Name."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        subprocess.run([program, "--gtest_list_tests", "--gtest_output=json:" + out.name], check=True,
                       stdout=subprocess.DEVNULL)
        listing = json.load(open(out.name, encoding="utf-8"))
    return {f"{suite['name']}.{case['name']}" for suite in listing["testsuites"] for case in suite["testsuite"]}


def read_results(path):
    """(outcome, Suite.Name, reason) of each case in one result file."""
    for case in xml.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        failure, skipped = case.find("failure"), case.find("skipped")
        if failure is not None:
            yield "failed", name, failure.get("message", "").strip().splitlines()[0]
        elif case.get("status") == "notrun":
            yield "skipped", name, "disabled in the source"
        elif skipped is not None:
            yield "skipped", name, (skipped.get("message") or "no reason given").strip().splitlines()[-1]
        else:
            yield "passed", name, ""


def main():
    build = pathlib.Path(sys.argv[1])
    entries = json.loads(subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], check=True,
                                        capture_output=True).stdout)["tests"]
    rows, programs = [], set()
    for entry in entries:
        programs.add(entry["command"][0])
        result = build / "gtest" / (entry["name"] + ".xml")
        if result.exists():
            rows += read_results(result)
        else:
            rows.append(("failed", entry["name"], "the test program ended without a result file"))
    ran = {name for _, name, _ in rows}
    for program in sorted(programs):
        rows += [("failed", case, "no CTest entry runs this case: is its suite's TEST on a line of its own?")
                 for case in sorted(listed_cases(program) - ran)]
    for outcome, name, reason in rows:
        print(outcome, name, " ".join(reason.split()), sep="\t")
    sys.exit(any(row[0] == "failed" for row in rows))


main()
