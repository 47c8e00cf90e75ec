"""Files of at most 400 lines, functions of at most 60; prints lines per folder."""

import ast
import collections
import re
import statistics

import sources

MAX_FILE, MAX_FUNCTION = 400, 60
NOT_A_FUNCTION = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b(?![^{;]*\)\s*(const|noexcept|override|\s)*$)")


def cpp_functions(text):
    """(first line, lines) of each outermost function body: a `{` after `)` inside nothing but namespaces and classes."""
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", lambda m: re.sub(r"[^\n]", " ", m[0]), sources.without_comments(text), flags=re.M)
    start, depth, function_depth, first = 0, 0, None, 0
    for match in re.finditer(r"[{};]", code):
        token, where = match[0], match.start()
        if token == "{":
            head = code[start:where]
            if function_depth is None and ")" in head and not NOT_A_FUNCTION.search(head) and not re.search(r"=\s*$", head):
                function_depth = depth
                first = code.count("\n", 0, start + len(head) - len(head.lstrip())) + 1
            depth += 1
        elif token == "}":
            depth -= 1
            if function_depth == depth:
                yield first, code.count("\n", 0, where) + 2 - first
                function_depth = None
        start = match.end()


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            yield node.lineno, node.end_lineno - node.lineno + 1


folders = collections.defaultdict(list)
for path in sources.tracked(".h", ".cpp", ".cu", ".py", ".cmake", ""):
    text = sources.read(path)
    if path.suffix == "" and not text.startswith("#!"):
        continue
    lines = text.count("\n")
    folders["/".join(path.parts[:-1][:2]) or "."].append(lines)
    if lines > MAX_FILE:
        sources.finding(path, MAX_FILE + 1, f"{lines} lines, at most {MAX_FILE}; split it by concept")
    functions = cpp_functions if path.suffix in (".h", ".cpp", ".cu") else python_functions if path.suffix == ".py" else None
    for first, length in functions(text) if functions else ():
        if length > MAX_FUNCTION:
            sources.finding(path, first, f"a function of {length} lines, at most {MAX_FUNCTION}; give its steps names")

print(f"{'folder':<24}{'files':>6}{'lines':>8}{'median':>8}")
for folder, lengths in sorted(folders.items()):
    print(f"{folder:<24}{len(lengths):>6}{sum(lengths):>8}{statistics.median(lengths):>8.0f}")
print(f"{'all':<24}{sum(map(len, folders.values())):>6}{sum(map(sum, folders.values())):>8}")
sources.finish()
