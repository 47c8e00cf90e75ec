"""A run of cupel that is killed or stopped and goes on: what the tests of kills share."""

import argparse
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS = 120
KILLS_A_LIFE = 4
EXIT_INTERRUPTED = 130


class Wrong(Exception):
    """What must not be."""


class TooLate(Exception):
    """The run had ended before the signal came."""


def parser(description):
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--build", default=ROOT / "build/release", type=pathlib.Path)
    options.add_argument("--kills", default=12, type=int)
    options.add_argument("--cuts", default=4, type=int)
    options.add_argument("--seed", default=1, type=int)
    return options


def start(program, recipe, folder, threads, words=(), before=()):
    """Begins the run of the folder, or goes on with it; what it says is added to FOLDER.log. `before`: a launcher's words."""
    with open(folder.with_suffix(".log"), "a", encoding="utf-8") as log:
        return subprocess.Popen([*before, program, "run", recipe, "--out", folder, "--threads", str(threads), "--resume", *words],
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def wait(process):
    try:
        return process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise Wrong(f"a run took over {SECONDS} s")


def require_end(process, folder):
    """Waits for a run that nothing disturbs."""
    code = wait(process)
    if code:
        raise Wrong(f"exit {code} of a resumed run: {folder.with_suffix('.log').read_text(encoding='utf-8')[-600:]}")


def attempt(results, name, folder, disturb, check):
    """The count of disturbances that were survived to the outcome that `check` expects; 0 after a failure."""
    try:
        count = disturb(folder)
        check(folder)
    except TooLate:
        count = 0
    except (Wrong, OSError, ValueError, KeyError, IndexError) as wrong:
        results.add("failed", name, f"{wrong!r}; kept in {folder}")
        return 0
    if count:
        results.add("passed", name)
    shutil.rmtree(folder)
    folder.with_suffix(".log").unlink()
    return count
