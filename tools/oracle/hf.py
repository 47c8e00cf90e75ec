"""Hugging Face models as oracles: fp64 throughout, and their weights under checkpoint names."""

import contextlib
import json
from unittest import mock

import numpy as np
import torch
import transformers
from transformers import modeling_rope_utils

import fixture

VERSIONS = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}


class TorchInDouble:
    """Stands for the module `torch` inside a model file: its fp32 islands (norms, softmax, rotary
    tables, router) then compute in fp64 like everything else."""

    float32 = torch.float64
    float = torch.float64

    def __getattr__(self, name):
        return getattr(torch, name)


@contextlib.contextmanager
def in_double(modeling):
    with mock.patch.object(modeling, "torch", TorchInDouble()), \
            mock.patch.object(modeling_rope_utils, "torch", TorchInDouble()), \
            mock.patch.object(torch.Tensor, "float", torch.Tensor.double):
        yield


def set_random_weights(model, seed, rounded_to=np.float32):
    """Weights far from the initial ones: norms near 1, everything else wide enough to matter; rounded to a type."""
    with torch.no_grad():
        tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        for i, (name, tensor) in enumerate(tensors.items()):
            if "inv_freq" in name:
                continue
            values = fixture.random([seed, i], *tensor.shape)
            if name.endswith("e_score_correction_bias"):
                values = 0.3 * values
                values[0], values[1] = -abs(values[0]), abs(values[1])  # both signs, whatever was drawn
            elif "norm" in name:
                values = 1 + 0.2 * values
            elif "embed_tokens" in name:
                pass
            else:
                values = values / np.sqrt(tensor.shape[-1])
            kept = np.float32 if name.endswith("e_score_correction_bias") else rounded_to
            tensor.copy_(torch.from_numpy(values.astype(kept)))


def checkpoint(tensors):
    """Model tensors under checkpoint names: fused experts become one 2-D matrix an expert and projection."""
    split = {}
    for name, tensor in tensors.items():
        if name.endswith("experts.gate_up_proj"):
            for e, (gate, up) in enumerate(zip(*tensor.chunk(2, dim=1))):
                split[name.replace("gate_up_proj", f"{e}.gate_proj.weight")] = gate
                split[name.replace("gate_up_proj", f"{e}.up_proj.weight")] = up
        elif name.endswith("experts.down_proj"):
            for e, down in enumerate(tensor):
                split[name.replace("down_proj", f"{e}.down_proj.weight")] = down
        else:
            split[name] = tensor
    return split


def weights(model):
    tensors = dict(model.named_parameters())
    tensors |= {name: b for name, b in model.named_buffers() if name.endswith("e_score_correction_bias")}
    return {name: t.detach().float().numpy() for name, t in checkpoint(tensors).items()}


def gradients(parameters, prefix="grad."):
    grads = {name: torch.zeros_like(p) if p.grad is None else p.grad for name, p in parameters.items()}
    return {prefix + name: g.numpy() for name, g in checkpoint(grads).items()}


def cross_entropy(logits, labels):
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())


def write_config(path, config, old_rope=False):
    """config.json without what says nothing about the model; old_rope: rotary settings as before transformers 5."""
    values = config.to_diff_dict()
    for key in ("dtype", "transformers_version", "_name_or_path"):
        values.pop(key, None)
    if old_rope:
        rope = values.pop("rope_parameters")
        values["rope_theta"] = rope.pop("rope_theta")
        values["rope_scaling"] = None if rope["rope_type"] == "default" else rope
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")
