"""No unfinished business, no word of the workshop, no binary, no large file."""

import re

import sources

MAX_BYTES = 2_000_000
OWN = "tools/check_text.py"
# Forbidden everywhere in text that is ours.
WORDS = {
    r"\bTODO\b|\bFIXME\b|\bXXX\b|\bHACK\b": "finish it or delete it",
    r"(?<![\w.])/work/|/tmp/fresh": "name no path of one machine; the repository speaks of the product alone",
    r"\bissue #?\d+\b|\b(this|next|previous|last) session\b|\bhelper (session|agent)\b|\bworkplace\b":
        "the repository speaks of the product alone; say it without the workshop",
    r"pypi\.org|pythonhosted|deb\.debian\.org|registry\.npmjs|repo\d?\.maven|huggingface\.co/(?!docs|papers)|crates\.io":
        "registry addresses belong to the user's own configuration; use the package's name",
    r"^(<<<<<<<|>>>>>>>) ": "a merge conflict is left here",
}
DATA = re.compile(r"(data|tests/fixtures|tests/fuzz/corpus)/|docs/images/.*\.png$|LICENSE$|.*\.(lock|dict)$")

for path in sources.tracked():
    raw = (sources.ROOT / path).read_bytes()
    if len(raw) > MAX_BYTES:
        sources.finding(path, 1, f"{len(raw)} bytes, at most {MAX_BYTES}; make it when it is needed, or ship a sample")
    if DATA.match(str(path)) or str(path) == OWN:
        continue
    if b"\0" in raw:
        sources.finding(path, 1, "a binary file; commit what it is made from")
        continue
    text = raw.decode("utf-8", errors="replace")
    for pattern, remedy in WORDS.items():
        for match in re.finditer(pattern, text, flags=re.M | (re.I if "session" in pattern else 0)):
            sources.finding(path, text.count("\n", 0, match.start()) + 1, f'"{match[0]}": {remedy}')
    if text and not text.endswith("\n"):
        sources.finding(path, text.count("\n") + 1, "no newline at the end; add one")
sources.finish()
