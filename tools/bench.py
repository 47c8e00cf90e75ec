"""Runs a bench: our program and its peer take turns, and medians are compared. Called by scripts/bench."""

import argparse
import importlib.util
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "release"
FIELDS = ("bench", "case", "ours", "peer", "peer_version", "ratio", "unit", "rounds", "isa_row", "share_of_peak")


class Side:
    """One process that answers a line of request with a line of JSON (the protocol is in bench/*/README.md)."""

    def __init__(self, command, count_allocations=False):
        environment = dict(os.environ)
        if count_allocations:
            environment["LD_PRELOAD"] = str(compiled("bench/train/count_allocs.c", ["-shared", "-fPIC"]))
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=environment)
        self.hello = self._read()

    def ask(self, request):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(self.process.args)}: ended with exit status {self.process.wait()}")
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def interleaved(ours, peer, rounds, round_seconds, counted="tokens", equal_steps=True, peer_counted=None):
    """Rates of both sides, `counted` a second (of the peer `peer_counted`, if it counts something else), from `rounds`
    rounds in which each takes its turn. Where one side is far faster, steps that differ let both run as long."""
    warm = [max(side.ask("round 1")["seconds"] for _ in range(2)) for side in (ours, peer)]
    steps = [max(1, round(round_seconds / (max(warm) if equal_steps else seconds))) for seconds in warm]
    rates = ([], [])
    for _ in range(rounds):
        for side, count, row, what in zip((ours, peer), steps, rates, (counted, peer_counted or counted)):
            time.sleep(0.2)  # lets the other side's worker threads stop spinning
            answer = side.ask(f"round {count}")
            row.append(answer[what] / answer["seconds"])
    return rates


def result(bench, case, ours, peer, ratio, unit, **more):
    """A row of results; `ours` and `peer` are lists over rounds, `ratio` is > 1 when we are better."""
    row = dict.fromkeys(FIELDS)
    row |= {"bench": bench, "case": case, "ours": statistics.median(ours), "peer": statistics.median(peer),
            "ratio": statistics.median(ratio), "ratio_min": min(ratio), "ratio_max": max(ratio), "unit": unit,
            "rounds": len(ratio), "load": os.getloadavg()[0]}
    return row | more


def compiled(source, flags):
    """Builds one C file of the bench for this machine; gives the path of what was built."""
    target = BUILD / "bench" / (pathlib.Path(source).stem + (".so" if "-shared" in flags else ""))
    files = [ROOT / source, *(ROOT / source).parent.glob("*.h")]
    if not target.exists() or target.stat().st_mtime < max(file.stat().st_mtime for file in files):
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-O2", "-march=native", *flags, str(ROOT / source), "-o", str(target)], check=True)
    return target


def built(target):
    """Builds one of our programs in the release preset; gives its path."""
    for command in (["cmake", "--preset", "release"], ["cmake", "--build", "--preset", "release", "--target", target]):
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    return BUILD / target


def environment(requirements):
    """The Python of a virtual environment of its own with what the file lists, made when the file is new or changed."""
    home = pathlib.Path(os.environ["CUPEL_HOME"]) / ("bench-" + requirements.parent.name)
    python, installed = home / "bin" / "python", home / "requirements.txt"
    if not installed.exists() or installed.read_text() != requirements.read_text():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements],
                       check=True, stdout=sys.stderr)
        installed.write_text(requirements.read_text())
    return python


def data_file(name):
    """A file of the shared data sets, which lie below CUPEL_DATA or beside the repository."""
    folders = [os.environ.get("CUPEL_DATA"), ROOT.parent / "shared" / "data"]
    tried = [pathlib.Path(folder) / name for folder in folders if folder]
    for path in tried:
        if path.exists():
            return path
    raise SystemExit(f"{name} not found; looked for {', '.join(map(str, tried))}; set CUPEL_DATA")


def fma_peak_gflops(threads):
    """fp32 multiply-add peak of `threads` cores."""
    return threads * float(subprocess.run([compiled("bench/fma_peak.c", [])], check=True, text=True,
                                          capture_output=True).stdout)


def load_bench(name):
    path = ROOT / "bench" / name / "bench.py"
    if not path.exists():
        known = sorted(p.parent.name for p in ROOT.glob("bench/*/bench.py"))
        raise SystemExit(f"unknown bench {name!r}; known: {', '.join(known)}")
    spec = importlib.util.spec_from_file_location(f"bench_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def show(row, as_json):
    if as_json:
        print(json.dumps(row), flush=True)
        return
    print(f"{row['bench']} {row['case']}: ours {row['ours']:.4g}, peer {row['peer']:.4g} {row['unit']}, "
          f"ratio {row['ratio']:.2f} ({row['ratio_min']:.2f} to {row['ratio_max']:.2f}, {row['rounds']} rounds), "
          f"{row['isa_row']}, peer {row['peer_version']}", flush=True)
    extra = {k: v for k, v in row.items() if k not in FIELDS and not k.startswith("ratio_")}
    print(f"  {json.dumps(extra)}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--json", action="store_true", help="one JSON object a line instead of text")
    parser.add_argument("--quick", action="store_true", help="3 rounds instead of 11")
    parser.add_argument("--case", help="only the cases whose name contains this")
    args = parser.parse_args()
    for name in args.names:
        for row in load_bench(name).run(rounds=3 if args.quick else 11, wanted=args.case or ""):
            show(row, args.json)


if __name__ == "__main__":
    sys.modules["bench"] = sys.modules["__main__"]  # `import bench` in bench/*/bench.py means this file
    main()
