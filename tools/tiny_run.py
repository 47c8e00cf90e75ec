"""A training run of a second or two, and what must be equal, to the bit, in two runs of its recipe."""

import hashlib
import json

from killed_run import Wrong, require_end, start

STEPS, SAVE_STEPS, CHECKPOINTS_KEPT = 60, 3, 2
TIMES = {"seconds", "time", "peak_memory_bytes", "peak_tensor_bytes", "tokens_per_second", "step_ms", "extra_step_ms"}
APART = TIMES | {"resumed_from", "metrics_bytes"}  # rows of metrics.jsonl differ in length, as their times do

TOKENIZER = """
  tokenizer: {vocab_size: 300}"""
COMMON = f"""
  datasets: [{{type: arithmetic, rows: 300}}]
  sequence_len: 64
  micro_batch_size: 2
  max_steps: {STEPS}
  logging_steps: 4
  eval_steps: 20
  save_steps: {SAVE_STEPS}
  save_total_limit: {CHECKPOINTS_KEPT}
  samples: {{prompts: ["2 + 3"], max_new_tokens: 8}}
eval:
  model: ${{train.model}}
  tasks:
    - {{name: answers, type: exact_match, source: arithmetic, rows: 4, max_new_tokens: 8}}
    - {{name: text, path: held_out.txt}}
"""
VARIANTS = {
    "fp16": """
seed: 7
train:
  model: {family: llama, hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2}
  precision: fp16
  loss_scale: {initial: 1e9, increment_period: 5}
  dropout: 0.1
  gradient_accumulation_steps: 2""" + TOKENIZER + COMMON,
    "bf16": """
seed: 8
train:
  model:
    family: deepseek_v3
    hidden_size: 32
    intermediate_size: 64
    num_hidden_layers: 2
    num_attention_heads: 2
    kv_lora_rank: 16
    qk_nope_head_dim: 8
    qk_rope_head_dim: 8
    v_head_dim: 16
    n_routed_experts: 4
    moe_intermediate_size: 32
    num_nextn_predict_layers: 1
  precision: bf16""" + TOKENIZER + COMMON,
    "lora": """
seed: 9
train:
  base_model: base/model
  adapter: lora
  lora_r: 4
  lora_dropout: 0.1
  learning_rate: 0.01
  precision: fp32""" + COMMON,
}
BASE = """
train:
  model: {family: llama, hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2}
  datasets: [{type: arithmetic, rows: 300}]
  sequence_len: 64
  max_steps: 4
  precision: fp32""" + TOKENIZER


def write_recipes(place, program):
    """The recipes, and the base model of the one that trains an adapter."""
    (place / "held_out.txt").write_text("12 + 30 = 42\n", encoding="utf-8")
    for variant, recipe in VARIANTS.items():
        (place / f"{variant}.yaml").write_text(recipe, encoding="utf-8")
    (place / "base.yaml").write_text(BASE, encoding="utf-8")
    require_end(start(program, place / "base.yaml", place / "base", threads=1), place / "base")


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def checkpoints(folder):
    """Steps of the checkpoints, ascending."""
    return sorted(int(path.name.split("-")[1]) for path in folder.glob("checkpoint-*"))


def check_committed(folder):
    """Every file under its own name is whole, whenever the process ended."""
    for step in checkpoints(folder):
        path = folder / f"checkpoint-{step}"
        for name, digest in read(path / "manifest.json")["files"].items():
            if hashlib.sha256((path / name).read_bytes()).hexdigest() != digest:
                raise Wrong(f"checkpoint-{step}/{name} does not match its hash")
    for name in ("report.json", "manifest.json", "model/config.json", "model/tokenizer.json"):
        if (folder / name).exists():
            read(folder / name)


def without(value, keys):
    """A JSON value without these members, at any depth."""
    if isinstance(value, list):
        return [without(each, keys) for each in value]
    return {k: without(v, keys) for k, v in value.items() if k not in keys} if isinstance(value, dict) else value


def metrics(folder):
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [without(row, TIMES) for row in rows if row["name"] not in TIMES]


def outcome(folder):
    """Name → what must be equal in two runs of one recipe."""
    last = f"checkpoint-{STEPS}"
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.glob("model/*"))]
    names += ["recipe.yaml", "config.yaml", "predictions.jsonl", f"{last}/model.safetensors", f"{last}/optimizer.safetensors"]
    found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    found |= {name: without(read(folder / name), APART) for name in ("report.json", f"{last}/state.json")}
    found["metrics.jsonl"] = metrics(folder)
    found["manifest.json"] = read(folder / "manifest.json")["fingerprint"]
    found["events"] = (folder / "events.out.tfevents.cupel").stat().st_size  # its records are of fixed size
    return found


def check_outcome(folder, expected, apart=()):
    """`apart`: names of what may differ."""
    check_committed(folder)
    left = [path.name for path in folder.rglob("*") if path.name.startswith((".staging-", ".lock"))]
    if left:
        raise Wrong(f"left behind: {', '.join(left)}")
    if len(checkpoints(folder)) > CHECKPOINTS_KEPT:
        raise Wrong(f"checkpoints left: {checkpoints(folder)}")
    found = outcome(folder)
    different = [name for name in expected.keys() | found.keys() if name not in apart and found.get(name) != expected.get(name)]
    if different:
        raise Wrong(f"differs from the undisturbed run: {', '.join(sorted(different))}")
