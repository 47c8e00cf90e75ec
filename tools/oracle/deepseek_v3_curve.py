"""Loss of a small DeepSeek-V3 over 100 fp32 training steps in PyTorch: a curve that our loop must follow.

Every parameter decays; the gradient is clipped by its global norm before AdamW; e_score_correction_bias
stays zero. Step s takes ids[s]: inputs are its first 64 columns, labels its last 64.
"""

import math

import numpy as np
import torch
from transformers import DeepseekV3Config, DeepseekV3ForCausalLM

import corpus
import fixture
import hf

TOLERANCE = 1e-3  # summation order differs between instruction sets, and 100 steps amplify it
STEPS, BATCH, LENGTH = 100, 8, 64
SETTINGS = dict(learning_rate=1e-3, min_learning_rate=1e-4, warmup_steps=10, beta1=0.9, beta2=0.95, epsilon=1e-8,
                weight_decay=0.1, clip_norm=1.0)
CONFIG = dict(
    vocab_size=256, hidden_size=64, intermediate_size=128, moe_intermediate_size=32, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=4, q_lora_rank=32, kv_lora_rank=24, qk_nope_head_dim=16,
    qk_rope_head_dim=8, v_head_dim=16, n_routed_experts=4, n_shared_experts=1, num_experts_per_tok=2, n_group=1,
    topk_group=1, first_k_dense_replace=1, routed_scaling_factor=1.0, max_position_embeddings=64,
    num_nextn_predict_layers=0, rope_parameters=dict(rope_type="default", rope_theta=10000.0),
    architectures=["DeepseekV3ForCausalLM"])


def set_initial_weights(model):
    with torch.no_grad():
        for i, (name, tensor) in enumerate(model.named_parameters()):
            if "norm" in name:
                tensor.fill_(1)
            else:
                values = 0.02 * fixture.random([7, i], *tensor.shape)
                tensor.copy_(torch.from_numpy(values.astype(np.float32)))


def learning_rate(step):
    peak, floor, warmup = (SETTINGS[k] for k in ("learning_rate", "min_learning_rate", "warmup_steps"))
    if step < warmup:
        return peak * (step + 1) / warmup
    return floor + 0.5 * (peak - floor) * (1 + math.cos(math.pi * (step - warmup) / (STEPS - warmup)))


def batches():
    text = np.frombuffer(corpus.tinyshakespeare(), dtype=np.uint8)
    starts = np.random.Generator(np.random.PCG64(11)).integers(0, len(text) - LENGTH - 1, (STEPS, BATCH))
    return text[starts[..., None] + np.arange(LENGTH + 1)].astype(np.int32)


def make(folder):
    config = DeepseekV3Config(**CONFIG)
    model = DeepseekV3ForCausalLM._from_config(config, attn_implementation="eager", experts_implementation="eager")
    set_initial_weights(model)
    hf.write_config(folder / "config.json", config)
    fixture.write_tensors(folder / "model.safetensors", hf.weights(model), hf.VERSIONS)
    ids = batches()
    fixture.write_tensors(folder / "batches.safetensors", {"ids": ids})
    optimizer = torch.optim.AdamW(model.parameters(), betas=(SETTINGS["beta1"], SETTINGS["beta2"]),
                                  eps=SETTINGS["epsilon"], weight_decay=SETTINGS["weight_decay"])
    rows = {"learning_rate": [], "loss": [], "gradient_norm": []}
    for step in range(STEPS):
        tokens = torch.from_numpy(ids[step]).long()
        rows["learning_rate"].append(learning_rate(step))
        optimizer.param_groups[0]["lr"] = rows["learning_rate"][-1]
        optimizer.zero_grad()
        loss = hf.cross_entropy(model(input_ids=tokens[:, :-1], use_cache=False).logits, tokens[:, 1:])
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), SETTINGS["clip_norm"])
        optimizer.step()
        rows["loss"].append(loss.item())
        rows["gradient_norm"].append(norm.item())
    settings = {f"schedule_{k}" if "learning" in k or "warmup" in k else k: v for k, v in SETTINGS.items()}
    fixture.write_json(folder / "curve.json", {"made_with": hf.VERSIONS, "steps": STEPS, **settings, **rows})
    print(f"  loss {rows['loss'][0]:.3f} -> {rows['loss'][-1]:.3f}")
