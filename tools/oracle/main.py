"""Makes the fixtures under tests/fixtures/ with the reference implementations, or checks the stored ones."""

import argparse
import importlib
import os
import pathlib
import shutil
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers: nothing is fetched

import torch

import fixture

NAMES = ("grad_scaler", "adamw", "deepseek_v3_tiny", "llama_tiny", "families", "deepseek_v3_curve", "tokenizer",
         "wordpiece", "tokenizer_parts", "published", "encoder", "classify", "parquet", "gguf_files", "jinja", "lora",
         "chat_template")
STORED = pathlib.Path(__file__).resolve().parents[2] / "tests" / "fixtures"


def main():
    parser = argparse.ArgumentParser(prog="scripts/oracle", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: all of {', '.join(NAMES)}")
    parser.add_argument("--check", action="store_true", help="make them anew elsewhere and compare; write nothing")
    args = parser.parse_args()
    unknown = [name for name in args.names if name not in NAMES]
    if unknown:
        parser.error(f"unknown fixture {unknown[0]!r}; known: {', '.join(NAMES)}")
    torch.set_num_threads(1)
    failed = False
    for name in args.names or NAMES:
        maker = importlib.import_module(name)
        with tempfile.TemporaryDirectory() as scratch:
            made = pathlib.Path(scratch) / name
            maker.make(made)
            if args.check:
                found = list(fixture.differences(made, STORED / name, maker.TOLERANCE))
                found += maker.check(STORED / name) if hasattr(maker, "check") else []
                print(f"{name}: {'differs' if found else 'same'}", *found[:20], sep="\n  ")
                failed = failed or bool(found)
            else:
                shutil.rmtree(STORED / name, ignore_errors=True)
                shutil.copytree(made, STORED / name)
                print(f"{name}: {sum(p.stat().st_size for p in made.rglob('*') if p.is_file()) / 1024:.0f} KiB")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
