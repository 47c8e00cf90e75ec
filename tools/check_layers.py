"""Who may include whom. A breach is printed with the chain of includes that makes it one."""

import re

import sources

# A folder may include itself and what stands here.
CAPABILITIES = ("curate", "augment", "train", "compress", "align", "fuse", "privacy", "explain", "online", "experiment")
BELOW_CAPABILITIES = {"base", "data", "kernels", "nn"}
MAY_INCLUDE = {
    "base": set(),
    "data": {"base"},
    "kernels": {"base"},
    "nn": {"base", "data", "kernels"},
    **{name: BELOW_CAPABILITIES for name in CAPABILITIES},
    "pipeline": BELOW_CAPABILITIES | set(CAPABILITIES),
    "serve": {"base", "data", "nn", "pipeline"},
    "capi": {"base", "data", "pipeline"},
    "cli": {"base", "data", "pipeline", "serve"},
}
# Libraries with one door: system include -> the only files that may use it.
VERSIONS = r"|pipeline/libraries\.cpp"  # asks a library which one it is, and uses it for nothing
DOORS = {
    r"(torch|ATen|c10)/": r"nn/\w+_nn\.(h|cpp)|nn/llm/\w+_nn\.(h|cpp)",
    r"yaml-cpp/": r"base/config_yaml\.cpp",
    r"nlohmann/": r"base/json\.cpp" + VERSIONS,
    r"simdjson": r"data/(jsonl|raw_rows)\.cpp" + VERSIONS,
    r"zlib|zstd": r"data/\w+\.cpp" + VERSIONS,
    r"pcre2": r"data/tokenizer/\w+\.cpp" + VERSIONS,
    r"utf8proc": r"(base/text|data/utf8|data/unicode|data/jinja/text|data/tokenizer/\w+)\.cpp" + VERSIONS,
    r"(arrow|parquet)/": r"data/parquet/plugin\.cpp",
    r"cuda": r"kernels/cuda/.*",
}
# Words with one door, in code outside comments and strings.
WORDS = {
    r"\bstd::cerr\b|\bstd::cout\b|(?<![\w.:>])_?exit\(|\bstd::_?exit\(|\babort\(": (r"cli/.*", "throw by fail(); only src/cli speaks to the terminal or ends the process"),
    r"\bstd::ofstream\b|\bfopen\(|O_CREAT\b|O_TMPFILE\b|\bmko?stemp\(": (r"base/(atomic_file|run|lock|spill|scratch)\w*\.cpp", "write through base/atomic_file.h or Run"),
    r"\bnew [A-Za-z_:]+[({<\[]": (r"$^", "use std::make_unique or a container"),
}
KERNEL_ROWS = re.compile(r"kernels/(avx\w*|amx\w*|\w+_inl)\.\w+$")
ROW_INCLUDES = re.compile(r"<(cstdint|cstddef|immintrin\.h)>|\"kernels/\w+\.h\"")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def includes(name):
    """(line, own header or None, the include as written) of a file under src/."""
    for number, line in enumerate(sources.read("src/" + name).splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            own = match[2] if match[1] == '"' else None
            yield number, own, match[0].split("include", 1)[1].strip()


def is_heavy(name):
    return re.search(r"_nn\.\w+$", name) is not None


def chain_to_heavy(name, graph, seen):
    """The shortest way found from a header to one with _nn in its name, or None."""
    for own in graph.get(name, []):
        if is_heavy(own):
            return [own]
        if own not in seen:
            seen.add(own)
            rest = chain_to_heavy(own, graph, seen)
            if rest:
                return [own] + rest
    return None


def check_file(name, graph):
    path, folder = "src/" + name, name.split("/")[0]
    for number, own, written in includes(name):
        if own is None:
            system = written.strip("<>")
            for library, door in DOORS.items():
                if re.match(library, system) and not re.fullmatch(door, name):
                    sources.finding(path, number, f"{written} may be included only by src/{door}; go through that file")
        else:
            target = own.split("/")[0] if "/" in own else folder
            if not (sources.ROOT / "src" / own).exists():
                sources.finding(path, number, f"{written} is not a path from src/; write it so")
            elif "/" in name and target != folder and target not in MAY_INCLUDE.get(folder, set()):
                sources.finding(path, number, f"{name} -> {own}: {folder} may include {', '.join(sorted(MAY_INCLUDE.get(folder, set()))) or 'nothing of ours'}; "
                                "move what both need down, or compose in pipeline/")
            elif not is_heavy(name):
                way = [own] if is_heavy(own) else chain_to_heavy(own, graph, {own}) and [own] + chain_to_heavy(own, graph, {own})
                if way:
                    sources.finding(path, number, f"{' -> '.join([name] + way)}: a file without _nn never sees one with it; forward-declare (nn/fwd.h) or rename")
        if KERNEL_ROWS.match(name) and not ROW_INCLUDES.fullmatch(written):
            sources.finding(path, number, f"a kernel row includes no {written}: its weak symbols would carry vector code into other files")
    code = sources.without_comments(sources.read(path))
    for pattern, (door, remedy) in WORDS.items():
        if re.fullmatch(door, name):
            continue
        for match in re.finditer(pattern, code):
            sources.finding(path, code.count("\n", 0, match.start()) + 1, f'"{match[0].strip()}" is not allowed here; {remedy}')


names = [str(path)[len("src/"):] for path in sources.tracked(".h", ".cpp", under="src/")]
graph = {name: [own for _, own, _ in includes(name) if own] for name in names}
for each in names:
    check_file(each, graph)
sources.finish()
