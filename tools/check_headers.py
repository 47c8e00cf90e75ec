"""Every header compiles alone.

A header beside a source of its name stands first in that source, so the build has compiled it alone
already; the others are compiled here, those of LibTorch's half in one go. Left out: *_inl.h, bodies
that a kernel row includes in the middle of its own namespace.
"""

import concurrent.futures
import os
import re
import subprocess

import sources

HOME = os.environ.get("CUPEL_HOME") or os.path.expanduser("~/.cache/cupel")
LIBTORCH = [f"-isystem{HOME}/libtorch-2.11.0/torch/include{rest}" for rest in ("", "/torch/csrc/api/include")]


def compile_alone(headers, flags):
    """The compiler's first complaint about a file that includes only `headers`, or None."""
    text = "".join(f'#include "{header}"\n' for header in headers)
    command = ["g++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror",
               f"-I{sources.ROOT}/src", f"-I{sources.ROOT}/tests", *flags, "-xc++", "-"]
    run = subprocess.run(command, input=text, capture_output=True, text=True)
    return next((line for line in run.stderr.splitlines() if "error: " in line), run.stderr) if run.returncode else None


def proved_by_build(path):
    """True if the source of the same name exists; then the header must come first in it."""
    source = path[:-len(".h")] + ".cpp"
    if not (sources.ROOT / source).exists() or source.endswith("_nn.cpp"):
        return False
    text = sources.read(source)
    first = re.search(r'^#include\s+["<]([^">]+)', text, flags=re.M)
    if first[1] != re.sub("^(src|tests)/", "", path):
        sources.finding(source, text.count("\n", 0, first.start()) + 1, f'includes {first[1]} first; put "{path.split("/", 1)[1]}" there')
    return True


headers = [str(path) for path in sources.tracked(".h") if path.parts[0] in ("src", "tests") and "cuda" not in path.parts
           and not path.name.endswith("_inl.h")]
heavy = [path for path in headers if path.endswith("_nn.h")]
jobs = [([path], []) for path in headers if path not in heavy and not proved_by_build(path)]
if heavy:
    jobs.insert(0, (heavy, LIBTORCH))
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    written = [[re.sub("^(src|tests)/", "", path) for path in paths] for paths, _ in jobs]
    for (paths, _), error in zip(jobs, pool.map(compile_alone, written, [flags for _, flags in jobs])):
        if error:
            place = re.match(rf"(?:{sources.ROOT}/)?([^:]+):(\d+):", error)
            sources.finding(place[1] if place and place[1] != "<stdin>" else paths[0], place[2] if place else 1,
                            f"does not compile alone: {error.split('error: ')[-1]}; include what it uses")
sources.finish()
