"""Kills one process of runs of two at random moments, and holds the resumed result against an undisturbed run.

    run_rank_kills.py [--build DIR] --kills N --cuts M [--seed S]

A kill is SIGKILL of a rank: the run must end by itself, name the rank and its pid and exit 1; up to four in one run's
life, each followed by a resume. A cut is SIGINT or SIGTERM of the process that was started: all ranks save, exit 130.
An orphan is SIGKILL of that process: its ranks must end too. At the end weights, optimizer, metrics, predictions and
report must be those of the undisturbed run of two, to the bit, apart from times and rates. Where PyTorch's torchrun is
to be had (the environment that scripts/oracle makes), it starts such a run too, which must leave the same bits, and a
rank killed under it must end the other. The folder of a failing case is kept.
"""

import os
import pathlib
import random
import shutil
import signal
import tempfile
import time

import killed_run
from killed_run import EXIT_INTERRUPTED, KILLS_A_LIFE, TooLate, Wrong, attempt, parser, require_end, wait
from results import Results
from tiny_run import VARIANTS, check_committed, check_outcome, outcome, write_recipes

RANKS = 2
EXIT_EXTERNAL = 1
SECONDS_TO_END = 40  # ten for the others, and a machine that does other things too

options = parser(__doc__)
chosen = options.parse_args()
program = chosen.build.resolve() / "cupel"
place = pathlib.Path(tempfile.mkdtemp(prefix="rank-kills-"))
chance = random.Random(chosen.seed)
results = Results("rank-kills")
torchrun = pathlib.Path(os.environ.get("CUPEL_HOME", pathlib.Path.home() / ".cache/cupel")) / "oracle/bin/torchrun"


def start(variant, folder):
    return killed_run.start(program, place / f"{variant}.yaml", folder, 1, [f"--nproc={RANKS}"])


def start_by_torchrun(variant, folder):
    launcher = [torchrun, "--standalone", "--local-addr=127.0.0.1", "--no-python", f"--nproc-per-node={RANKS}"]
    return killed_run.start(program, place / f"{variant}.yaml", folder, 1, before=launcher)


def said(folder):
    return folder.with_suffix(".log").read_text(encoding="utf-8")


def ranks_of(parent):
    """Rank → pid of the processes below `parent` that are running a rank."""
    parents, found = {}, {}
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            pid, stat = int(path.name), (path / "stat").read_text(encoding="utf-8")
            state, above = stat.rsplit(")", 1)[1].split()[:2]
            variables = dict(each.split("=", 1) for each in (path / "environ").read_text(encoding="utf-8").split("\0") if "=" in each)
        except (OSError, UnicodeDecodeError, ValueError):
            continue
        parents[pid] = int(above)
        if state != "Z" and "RANK" in variables:
            found[pid] = int(variables["RANK"])
    return {rank: pid for pid, rank in found.items() if parents[pid] == parent}


def wait_for_ranks(process):
    while process.poll() is None:
        ranks = ranks_of(process.pid)
        if len(ranks) == RANKS:
            return ranks
        time.sleep(0.005)
    raise Wrong(f"exit {process.returncode} before all ranks were started")


def require_gone(pids, seconds=SECONDS_TO_END):
    deadline = time.monotonic() + seconds
    while any(is_alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            raise Wrong(f"ranks {pids} are still there after {seconds} s")
        time.sleep(0.05)


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def kill(variant, folder, seconds, most):
    """Kills ranks of a run and of its resumes, then lets it end; returns how many kills met a living rank."""
    kills = 0
    while kills < most:
        process = start(variant, folder)
        ranks = wait_for_ranks(process)
        time.sleep(chance.random() * seconds)
        rank, pid = chance.choice(sorted(ranks.items()))
        if process.poll() is None and is_alive(pid):
            os.kill(pid, signal.SIGKILL)
        begin = time.monotonic()
        code = wait(process)
        if code == 0:
            break
        if code != EXIT_EXTERNAL or f"rank {rank} (pid {pid}) was killed by signal 9" not in said(folder):
            raise Wrong(f"exit {code} after rank {rank} (pid {pid}) was killed: {said(folder)[-600:]}")
        if time.monotonic() - begin > SECONDS_TO_END:
            raise Wrong(f"took {time.monotonic() - begin:.0f} s to end")
        require_gone(ranks.values())
        kills += 1
        check_committed(folder)
    require_end(start(variant, folder), folder)
    return kills


def cut(variant, folder, seconds, number):
    """Stops a run, which must be saved by all ranks, and goes on; returns the count of stops."""
    process = start(variant, folder)
    ranks = wait_for_ranks(process)
    time.sleep(chance.random() * seconds)
    process.send_signal(signal.SIGTERM if number % 2 else signal.SIGINT)
    code = wait(process)
    if code == 0:
        raise TooLate
    if code != EXIT_INTERRUPTED:
        raise Wrong(f"exit {code} of a run that was told to stop: {said(folder)[-600:]}")
    require_gone(ranks.values())
    check_committed(folder)
    require_end(start(variant, folder), folder)
    return 1


def orphan(variant, folder, seconds):
    process = start(variant, folder)
    ranks = wait_for_ranks(process)
    time.sleep(chance.random() * seconds)
    process.kill()
    wait(process)
    require_gone(ranks.values())
    check_committed(folder)
    require_end(start(variant, folder), folder)
    return 1


def by_torchrun(variant, folder):
    require_end(start_by_torchrun(variant, folder), folder)
    return 1


def kill_under_torchrun(variant, folder, seconds):
    process = start_by_torchrun(variant, folder)
    ranks = wait_for_ranks(process)
    time.sleep(chance.random() * seconds)
    os.kill(ranks[1], signal.SIGKILL)
    wait(process)
    require_gone(ranks.values())
    require_end(start_by_torchrun(variant, folder), folder)
    return 1


def others(expected, seconds):
    """What happens once: the started process dies, torchrun starts the ranks."""
    def check(folder):
        check_outcome(folder, expected)
    attempt(results, "orphan", place / "orphan", lambda folder: orphan("bf16", folder, seconds), check)
    if not torchrun.exists():
        results.add("skipped", "torchrun", f"{torchrun} is not here; scripts/oracle makes it")
        return

    def check_launched(folder):
        check_outcome(folder, expected, {"config.yaml"})  # `nproc` is 1 there: the launcher knows of two

    attempt(results, "torchrun", place / "torchrun", lambda folder: by_torchrun("bf16", folder), check_launched)
    attempt(results, "torchrun, a rank killed", place / "torchrun-kill",
            lambda folder: kill_under_torchrun("bf16", folder, seconds / 2), check_launched)


def main():
    write_recipes(place, program)
    whole = {}
    for variant in VARIANTS:
        begin = time.monotonic()
        require_end(start(variant, place / f"{variant}-whole"), place / f"{variant}-whole")
        whole[variant] = (outcome(place / f"{variant}-whole"), time.monotonic() - begin)
    counts = {"kills": 0, "cuts": 0}
    tries = 0
    while (counts["kills"] < chosen.kills or counts["cuts"] < chosen.cuts) and not results.count("failed"):
        variant = list(VARIANTS)[tries % len(VARIANTS)]
        kind = "cuts" if counts["cuts"] < chosen.cuts else "kills"
        expected, seconds = whole[variant]
        most = min(chance.randint(1, KILLS_A_LIFE), chosen.kills - counts["kills"])
        disturb = (lambda folder: cut(variant, folder, seconds, tries // 2)) if kind == "cuts" else (
            lambda folder: kill(variant, folder, seconds, most))
        counts[kind] += attempt(results, f"{variant} {kind} {tries}", place / f"{variant}-{tries}", disturb,
                                lambda folder: check_outcome(folder, expected))
        tries += 1
        if tries > 4 * (chosen.cuts + chosen.kills) + 8:
            results.add("failed", "rank-kills", f"runs end before they can be disturbed: {counts} after {tries} tries")
    others(*whole["bf16"])
    print(f"seed {chosen.seed}: {counts['kills']} kills of a rank and {counts['cuts']} cuts ended in the bits of the undisturbed run")
    if results.count("failed"):
        print(f"kept: {place}")
    else:
        shutil.rmtree(place)
    results.finish()


main()
