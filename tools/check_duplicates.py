"""No copied blocks: 12 or more meaningful lines in a row that stand in two places."""

import collections
import re

import sources

LIMIT = 12


def meaningful(path):
    """(line number, normalised text) of the lines that say something."""
    text = sources.read(path)
    if path.suffix in (".h", ".cpp", ".cu"):
        text = sources.without_comments(text, keep_strings=True)
    for number, line in enumerate(text.splitlines(), 1):
        line = re.sub(r"\s+", " ", line.strip())
        if len(line) > 3 and not re.match(r"#\s*include|#pragma|//|using |namespace |import |from ", line):
            yield number, line


files = {path: list(meaningful(path)) for path in sources.tracked(".h", ".cpp", ".cu", ".py")}
seen = collections.defaultdict(list)
for path, lines in files.items():
    for at in range(len(lines) - LIMIT + 1):
        seen[hash(tuple(text for _, text in lines[at:at + LIMIT]))].append((path, at))

reported = set()
for places in seen.values():
    for path, at in places[1:]:
        other, other_at = places[0]
        if path == other and at - other_at < LIMIT:
            continue
        if (path, at - 1, other, other_at - 1) not in reported:
            sources.finding(path, files[path][at][0], f"the same {LIMIT} or more lines stand at {other}:{files[other][other_at][0]}; "
                            "keep one, in the layer below both")
        reported.add((path, at, other, other_at))
sources.finish()
