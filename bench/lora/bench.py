"""A low-rank adapter on a real model: better than the base on unseen rows, and what transformers and peft expect."""

import gzip
import json
import math
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

import bench

HERE = pathlib.Path(__file__).parent
THREADS = 2
SEED = 7
TEST_ROWS, QUICK_TEST_ROWS = 300, 20
STEPS, QUICK_STEPS = 240, 8  # of 8 x 128 tokens
LEAST_AGREEMENT, MOST_LOGIT_ERROR = 0.99, 1e-3


def base_model():
    folder = pathlib.Path(os.environ["CUPEL_HOME"]) / "models" / "SmolLM2-135M-Instruct"
    files = sorted(folder.glob("*.gguf"))
    if not files:
        raise SystemExit(f"{folder} has no .gguf; run scripts/setup --models")
    return files[0]


def write_rows(folder, test_rows):
    with gzip.open(bench.data_file("clinc_oos/data_full_part.json.gz")) as file:
        splits = json.load(file)
    order = random.Random(SEED)
    for name, count in (("train", None), ("test", test_rows)):
        rows = splits[name]
        order.shuffle(rows)
        lines = [json.dumps({"prompt": f"Utterance: {text}\nIntent:", "completion": f" {intent}"})
                 for text, intent in rows[:count]]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def train_recipe(folder, steps):
    recipe = {"seed": SEED, "train": {
        "base_model": str(base_model()), "adapter": "lora", "lora_r": 16, "lora_alpha": 32,
        "datasets": [{"path": str(folder / "train.jsonl"), "type": "completion"}], "val_set_size": 0.01,
        "excess_length_strategy": "drop", "sequence_len": 128, "micro_batch_size": 8, "learning_rate": 1e-3,
        "warmup_steps": 10, "max_steps": steps, "save_steps": 0}}
    (folder / "recipe.yaml").write_text(json.dumps(recipe), encoding="utf-8")  # JSON is YAML


def cupel(program, *words):
    subprocess.run([str(word) for word in (program, *words, "--threads", THREADS)], check=True, stdout=sys.stderr)


def evaluate(program, folder, model, name):
    """Predictions, a row a question."""
    task = f"[{{name: intents, type: exact_match, source: file, path: {folder / 'test.jsonl'}, max_new_tokens: 12}}]"
    cupel(program, "eval", f"--model={model}", f"--tasks={task}", "--out", folder / name)
    lines = (folder / name / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def paired_difference(after, before):
    """Mean and 95 % interval of correct after minus correct before."""
    differences = [float(a["correct"]) - float(b["correct"]) for a, b in zip(after, before, strict=True)]
    mean = statistics.mean(differences)
    half = 1.96 * statistics.stdev(differences) / math.sqrt(len(differences))
    return mean, [mean - half, mean + half]


def ask_peer(folder, prompts):
    command = [sys.executable, HERE / "peer.py", folder / "merged/model", folder / "base/model", folder / "lora/model"]
    done = subprocess.run([str(word) for word in command], input="\n".join(json.dumps(p) for p in prompts), text=True,
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(program, folder, quick):
    write_rows(folder, QUICK_TEST_ROWS if quick else TEST_ROWS)
    train_recipe(folder, QUICK_STEPS if quick else STEPS)
    cupel(program, "train", folder / "recipe.yaml", "--out", folder / "lora")
    cupel(program, "export", folder / "lora/model", "--out", folder / "merged")
    cupel(program, "export", base_model(), "--out", folder / "base")
    before = evaluate(program, folder, base_model(), "eval-base")
    after = evaluate(program, folder, folder / "lora/model", "eval-lora")
    report = json.loads((folder / "lora/report.json").read_text(encoding="utf-8"))["train"]
    return before, after, report, ask_peer(folder, [row["prompt"] for row in after])


def run(rounds, wanted):
    if wanted not in "clinc_oos":
        return
    for target in ("cupel", "cupel-nn"):
        program = bench.built(target).with_name("cupel")
    quick = rounds < 11
    with tempfile.TemporaryDirectory() as scratch:
        before, after, report, peer = measure(program, pathlib.Path(scratch), quick)
    difference, interval = paired_difference(after, before)
    agreement = statistics.mean(float(row["answer"].strip() == theirs)
                                for row, theirs in zip(after, peer["answers"], strict=True))
    share = [statistics.mean(float(row["correct"]) for row in rows) for rows in (after, before)]
    yield bench.result("lora", "clinc_oos", share[:1], share[1:], [math.nan], "exact match",
                       peer_version=peer["version"], isa_row=report["isa_row"], rows=len(after),
                       difference=difference, interval=interval, agreement=agreement,
                       peft_logit_error=peer["logit_error"], train_seconds=report["seconds"],
                       tokens_per_second=report["tokens_per_second"])
    wrong = [f"the interval {interval} does not lie above 0"] * (interval[0] <= 0 and not quick)
    wrong += [f"transformers gives only {agreement:.1%} of our answers"] * (agreement < LEAST_AGREEMENT)
    wrong += [f"peft's logits are {peer['logit_error']:.1e} away"] * (peer["logit_error"] > MOST_LOGIT_ERROR)
    if wrong:
        raise SystemExit("; ".join(wrong))
