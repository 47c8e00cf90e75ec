"""The map is true: paths named in the texts exist, sources have tests, recipes have a page, headers say what they are for."""

import re

import sources

TOP = ("src", "docs", "scripts", "tools", "recipes", "tests", "data", "cmake", "bench", "examples", "web", "engines", "python", ".ci")
paths = {str(path) for path in sources.tracked()}
folders = {str(parent) for path in sources.tracked() for parent in path.parents}
existing = paths | folders


def check_text(name):
    """Paths in backticks (from the root, or from src/) and targets of links."""
    for number, line in enumerate(sources.read(name).splitlines(), 1):
        here = "/".join(name.split("/")[:-1])
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", line):
            parts = []
            for part in f"{here}/{target}".split("/"):
                parts = parts[:-1] if part == ".." else parts + [part] * (part not in ("", "."))
            if "://" not in target and "/".join(parts) not in existing:
                sources.finding(name, number, f"links to {target}, which does not exist; mend the link")
        for token in re.findall(r"`([\w.][\w./-]*)`", line):
            path = token.rstrip("/").removeprefix("./")
            first = path.split("/")[0]
            known = first in TOP or "/" in path and f"src/{first}" in folders
            if known and path not in existing and f"src/{path}" not in existing:
                sources.finding(name, number, f"names {token}, which does not exist; mend the text")


def check_test(name):
    """src/a/b.cpp -> tests/a/b_test.cpp; instruction-set rows share the tests of their table."""
    if re.search(r"src/cli/main(_nn)?\.cpp$|src/(kernels/(avx|amx|cuda)|data/parquet/plugin)", name):
        return
    test = re.sub(r"^src/(.*)\.cpp$", r"tests/\1_test.cpp", name)
    test = re.sub(r"nn/ops_\w+_nn_test", "nn/ops_nn_test", test)  # one header, one file a kind of operation
    if test not in paths:
        sources.finding(name, 1, f"has no test; write {test}")


def check_header(name):
    lines = [line.strip() for line in sources.read(name).splitlines()]
    comment = []
    for line in lines:
        if not line.startswith("//"):
            break
        comment.append(line.lstrip("/ "))
    if not re.search(r"\w[.:](\s|$)", " ".join(comment)):
        sources.finding(name, 1, "does not begin with what the file is for; add one sentence above #pragma once")
    if name.endswith(".h") and "#pragma once" not in lines and not name.endswith("_inl.h"):
        sources.finding(name, 1, "has no #pragma once; add it below the first sentence")


pages = {path: sources.read(path) for path in paths if path == "README.md" or re.fullmatch(r"docs/.*\.md", path)}
for text in sorted(pages):
    check_text(text)
for path in sorted(paths):
    if re.fullmatch(r"src/.*\.cpp", path):
        check_test(path)
    elif re.fullmatch(r"(src|tests)/.*\.h", path):
        check_header(path)
    elif re.fullmatch(r"recipes/[^/]*\.yaml", path) and not any(path.split("/")[1] in page for page in pages.values()):
        sources.finding(path, 1, "no page in docs/ speaks of this recipe; add it to the page of its verb")
suites = {}
for path in sorted(paths):
    if re.fullmatch(r"tests/.*_test\.cpp", path):
        for suite in set(re.findall(r"^TEST(?:_F|_P)?\((\w+),", sources.read(path), flags=re.M)):
            if suites.setdefault(suite, path) != path:
                sources.finding(path, 1, f"suite {suite} stands in {suites[suite]} too, so its cases would run twice; rename one")
sources.finish()
