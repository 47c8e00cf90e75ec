"""Sentence vectors of BERT in fp64: the mean of the last hidden states over the tokens, made a unit vector.

tiny/: a random model of two layers and everything that its folder needs. minilm.json and minilm.safetensors: token
ids and vectors of all-MiniLM-L6-v2, which `scripts/setup --models` fetches.
"""

import os
import pathlib

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

import fixture
import hf
import wordpiece

TOLERANCE = 1e-6
MINILM_TOKENS = 256  # max_seq_length of sentence_bert_config.json
TINY_TOKENS = 24
TINY = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
            max_position_embeddings=TINY_TOKENS, layer_norm_eps=1e-12, architectures=["BertModel"])
TEXTS = [
    "The cat sits on the mat.", "A feline is resting on a rug.", "Stock prices fell sharply on Monday.", "", "a",
    "Obstructive sleep apnea following topical oropharyngeal anesthesia in loud snorers.",
    "今天天气很好，我们去公园吧。", "Café Zoë — naïve, déjà vu! 😀", "def f(x):\n    return x**2 + 1",
    "What is the capital of France? [MASK]", "supercalifragilisticexpialidocious " * 3,
    "Neutrophil function and pyogenic infections in bone marrow transplant recipients. " * 30,
]


def vectors(model, ids):
    rows = []
    with torch.no_grad():
        for row in ids:
            hidden = model(input_ids=torch.tensor([row])).last_hidden_state[0]
            rows.append(torch.nn.functional.normalize(hidden.mean(0), dim=0).numpy())
    return np.stack(rows)


def expected(path, model, ids):
    fixture.write_tensors(path, {"vectors": vectors(model, ids).astype(np.float32)}, hf.VERSIONS)


def random_weights(model, seed=40, dtype=np.float32):
    """Wide enough to matter, rounded to `dtype`."""
    with torch.no_grad():
        for i, (name, tensor) in enumerate(model.named_parameters()):
            values = fixture.random([seed, i], *tensor.shape)
            if "LayerNorm.weight" in name:
                values = 1 + 0.2 * values
            elif tensor.dim() == 1:
                values = 0.3 * values
            elif "embeddings" not in name:
                values = 2 * values / np.sqrt(tensor.shape[-1])
            tensor.copy_(torch.from_numpy(values.astype(dtype)))


def make_tiny(folder):
    text = " ".join(TEXTS)
    characters = sorted(set(text.lower()) - set(" \n") - set("😀气"))
    vocabulary = wordpiece.SPECIAL + characters + ["##" + c for c in characters if c.isalpha()] + ["the", "##ing", "cat"]
    config = BertConfig(vocab_size=len(vocabulary), **TINY)
    config._attn_implementation = "eager"
    model = BertModel(config, add_pooling_layer=False).double().eval()
    random_weights(model)
    hf.write_config(folder / "config.json", config)
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    fixture.write_json(folder / "tokenizer_config.json", {
        "do_lower_case": True, "cls_token": "[CLS]", "sep_token": {"content": "[SEP]", "special": True}})
    weights = {name: tensor.detach().float().numpy() for name, tensor in model.named_parameters()}
    fixture.write_tensors(folder / "model.safetensors", weights, hf.VERSIONS)
    tokenizer = wordpiece.tokenizer_of({token: id for id, token in enumerate(vocabulary)}, "uncased")
    tokenizer.enable_truncation(TINY_TOKENS)
    ids = [tokenizer.encode(text).ids for text in TEXTS]
    expected(folder / "expected.safetensors", model, ids)
    wordpiece.write_cases(folder / "expected.json", wordpiece.cases(tokenizer, TEXTS))


def make_minilm(folder):
    home = pathlib.Path(os.environ.get("CUPEL_HOME") or pathlib.Path.home() / ".cache" / "cupel")
    source = home / "models" / "all-MiniLM-L6-v2"
    if not source.exists():
        raise SystemExit(f"{source} is missing; run scripts/setup --models")
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.no_padding()
    awkward = wordpiece.cases(tokenizer, wordpiece.TEXTS)
    tokenizer.enable_truncation(MINILM_TOKENS)
    model = BertModel.from_pretrained(source, attn_implementation="eager").double().eval()
    found = wordpiece.cases(tokenizer, TEXTS)
    expected(folder / "minilm.safetensors", model, [case["ids"] for case in found])
    wordpiece.write_cases(folder / "minilm.json", found)
    wordpiece.write_cases(folder / "minilm_awkward.json", awkward)


def make(folder):
    make_tiny(folder / "tiny")
    make_minilm(folder)
