"""A kernel row's object exports its row and nothing else: check_objects.py [BUILD].

A weak symbol compiled with AVX-512 flags may be the one the linker keeps for the whole program,
which then stops on every older processor.
"""

import pathlib
import re
import subprocess
import sys

import sources

build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else sources.ROOT / "build/release")
objects = [path for path in sorted(build.glob("**/src/kernels/*.cpp.o")) if re.match(r"avx|amx", path.name)]
if not objects:
    sources.finding(build, 1, "no object of a kernel row is here; build first: cmake --build --preset release")
for path in objects:
    source = f"src/kernels/{path.name.removesuffix('.o')}"
    listing = subprocess.run(["nm", "-C", "--defined-only", "--extern-only", path], check=True, capture_output=True, text=True).stdout
    symbols = [line.split(maxsplit=2)[1:] for line in listing.splitlines()]
    weak = [name for kind, name in symbols if kind in "WVuwv"]
    for name in weak:
        sources.finding(source, 1, f"exports the weak symbol {name}; include no standard header and keep helpers in an anonymous namespace")
    if len(symbols) - len(weak) > 1:
        sources.finding(source, 1, f"exports {', '.join(name for _, name in symbols)}; only the row itself may leave the file")
sources.finish()
