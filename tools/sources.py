"""What every check needs: the files of the tree, and one way to report what is wrong with them."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
_findings = []


def tracked(*suffixes, under=""):
    """Paths (relative to ROOT) that are or could be committed, of the given suffixes."""
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True,
                             capture_output=True, text=True).stdout
    paths = (pathlib.PurePosixPath(name) for name in sorted(set(listing.split("\0"))) if name.startswith(under))
    return [path for path in paths if (not suffixes or path.suffix in suffixes) and (ROOT / path).is_file()]


def read(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def without_comments(text, keep_strings=False):
    """C++ text with comments (and the insides of strings) blanked; line numbers stay."""
    def blank(match):
        token = match.group(0)
        if token.startswith("/"):
            return re.sub(r"[^\n]", " ", token)
        if keep_strings:
            return token
        return token[0] + re.sub(r"[^\n]", " ", token[1:-1]) + token[-1]
    pattern = r'R"([^(\s]*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''
    return re.sub(pattern, blank, text, flags=re.S)


def finding(path, line, text):
    """Reports one breach; `text` ends with what to do."""
    _findings.append(f"{path}:{line}: {text}")


def finish():
    """Prints the findings; the exit code says whether there were any."""
    print("\n".join(_findings), end="\n" if _findings else "")
    sys.exit(1 if _findings else 0)
