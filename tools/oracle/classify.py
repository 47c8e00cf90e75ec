"""A tiny BertForSequenceClassification in fp64: logits of padded rows, mean cross-entropy, the gradient of every tensor.

check() also trains and evaluates with the built program, and holds the probabilities in predictions.jsonl against those
that transformers gets from the folder that was saved.
"""

import json
import pathlib
import subprocess
import tempfile

import numpy as np
import torch
import transformers
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertConfig, BertForSequenceClassification

import encoder
import fixture
import hf
import wordpiece

TOLERANCE = 1e-10
PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "build" / "release" / "cupel"
LABELS = ["complaint", "praise", "question", "request"]
WORDS = ["the", "cat", "dog", "food", "good", "bad", "is", "was", "where", "when", "please", "send", "thank", "you",
         "never", "again", "great", "refund", "money", "my", "##ing"]
LENGTHS, LENGTH = [11, 3, 7, 1, 11], 11
TINY = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
            max_position_embeddings=32, layer_norm_eps=1e-12, architectures=["BertForSequenceClassification"])
ROWS = [("The food was bad, never again", "complaint"), ("My dog is bad", "complaint"), ("Where is my money?", "question"),
        ("When is the food good", "question"), ("Great food, thank you!", "praise"), ("The cat is great", "praise"),
        ("Please send my refund", "request"), ("Please send money, thank you", "request"), ("", "question")] * 4


def build(config, double):
    config._attn_implementation = "eager"
    model = BertForSequenceClassification(config)
    encoder.random_weights(model, 60, np.float16)  # so exact in any type
    return (model.double() if double else model).eval()


def make(folder):
    characters = sorted(set("abcdefghijklmnopqrstuvwxyz.,!?'"))
    vocabulary = wordpiece.SPECIAL + characters + ["##" + c for c in characters if c.isalpha()] + WORDS
    config = BertConfig(vocab_size=len(vocabulary), id2label=dict(enumerate(LABELS)),
                        label2id={label: i for i, label in enumerate(LABELS)}, **TINY)
    ids = np.zeros((len(LENGTHS), LENGTH), np.int64)
    random = np.random.Generator(np.random.PCG64(61))
    for row, length in enumerate(LENGTHS):
        ids[row, :length] = random.integers(1, len(vocabulary), length)
    mask = torch.tensor([[i < length for i in range(LENGTH)] for length in LENGTHS]).long()
    labels = torch.tensor([3, 0, 2, 1, 0])
    batch = dict(input_ids=torch.from_numpy(ids), attention_mask=mask, labels=labels)
    with torch.no_grad():
        single = build(config, double=False)(**batch).logits
    model = build(config, double=True)
    out = model(**batch)
    out.loss.backward()
    gap = (single.double() - out.logits).abs().max() / out.logits.abs().max()
    print(f"  fp32 logit gap {gap:.1e}, logits within {out.logits.abs().max():.2f}")
    hf.write_config(folder / "config.json", config)
    tokenizer = wordpiece.tokenizer_of({token: id for id, token in enumerate(vocabulary)}, "uncased")
    fixture.write_json(folder / "tokenizer.json", json.loads(tokenizer.to_str()))
    fixture.write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "BertTokenizer", "do_lower_case": True, "cls_token": "[CLS]", "sep_token": "[SEP]",
        "pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]"})
    weights = {name: tensor.detach().numpy().astype(np.float16) for name, tensor in model.named_parameters()}
    fixture.write_tensors(folder / "model.safetensors", weights, hf.VERSIONS)
    fixture.write_tensors(folder / "expected.safetensors", {
        "ids": ids, "lengths": np.array(LENGTHS), "labels": labels.numpy(), "logits": out.logits.detach().numpy(),
        "loss": out.loss.detach().numpy(), **hf.gradients(dict(model.named_parameters()))}, hf.VERSIONS)


def check(stored):
    if not PROGRAM.exists():
        return [f"{PROGRAM} is not built, so nothing that was saved could be loaded"]
    transformers.utils.logging.disable_progress_bar()
    found = []
    for base in ("base_model", "model"):
        with tempfile.TemporaryDirectory() as scratch:
            found += [f"{base}: {line}" for line in check_trained(stored, pathlib.Path(scratch), base)]
    return found


def check_trained(stored, scratch, base):
    rows = scratch / "rows.jsonl"
    rows.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in ROWS), encoding="utf-8")
    data = {"path": str(rows)}
    train = {"task": "classify", "datasets": [data], "learning_rate": 1e-3, "micro_batch_size": 4, "num_epochs": 3,
             "val_set_size": 0, "sequence_len": 32}
    if base == "base_model":
        train["base_model"] = str(stored)
    else:
        train |= {"model": {"family": "bert", "hidden_size": 24, "num_attention_heads": 3, "intermediate_size": 40,
                            "num_hidden_layers": 2, "max_position_embeddings": 32}, "tokenizer": str(stored / "tokenizer.json")}
    recipe = {"train": train, "eval": {"model": "${train.model}", "tasks": [data | {"type": "accuracy"}]}}
    (scratch / "recipe.yaml").write_text(json.dumps(recipe), encoding="utf-8")
    subprocess.run([PROGRAM, "run", scratch / "recipe.yaml", "--out", scratch / "run"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    folder = scratch / "run" / "model"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model, info = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    model.eval()
    predictions = [json.loads(line) for line in (scratch / "run" / "predictions.jsonl").read_text().splitlines()]
    worst = 0.0
    for (text, _), prediction in zip(ROWS, predictions, strict=True):
        with torch.no_grad():
            chances = model(**tokenizer(text, return_tensors="pt")).logits[0].softmax(-1)
        answer = model.config.id2label[int(chances.argmax())]
        worst = max(worst, abs(float(chances.max()) - prediction["probability"]))
        if answer != prediction["answer"]:
            yield f"{text!r}: {answer} against {prediction['answer']}"
    print(f"  {base}: transformers reads what was saved with probabilities within {worst:.1e}")
    if worst > 1e-5 or info["missing_keys"] or info["unexpected_keys"] or info["mismatched_keys"]:
        yield f"saved, it gives transformers probabilities {worst:.1e} apart; {info}"
