"""A tiny Llama with grouped-query attention and Llama-3 rotary scaling: as deepseek_v3_tiny."""

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.models.llama import modeling_llama as modeling

import fixture
import hf

TOLERANCE = 1e-10
BATCH, LENGTH = 2, 24

COMMON = dict(
    vocab_size=131, hidden_size=48, intermediate_size=72, num_hidden_layers=2, num_attention_heads=6,
    num_key_value_heads=2, head_dim=12, max_position_embeddings=64, rms_norm_eps=1e-5,
    architectures=["LlamaForCausalLM"])
CASES = {
    "default": dict(rope_parameters=dict(rope_type="default", rope_theta=10000.0)),
    "llama3_rope": dict(tie_word_embeddings=True, rope_parameters=dict(
        rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=16)),
}


def make_case(folder, name, settings, seed):
    random = np.random.Generator(np.random.PCG64(200 + seed))
    ids = torch.from_numpy(random.integers(0, COMMON["vocab_size"], (BATCH, LENGTH)))
    with hf.in_double(modeling):
        config = LlamaConfig(**COMMON, **settings)
        model = LlamaForCausalLM._from_config(config, attn_implementation="eager").double()
        model.model.rotary_emb = modeling.LlamaRotaryEmbedding(config)  # tables in fp64 too
        hf.set_random_weights(model, 10 + seed)
        logits = model.lm_head(model.model(input_ids=ids, use_cache=False).last_hidden_state)
        loss = hf.cross_entropy(logits[:, :-1], ids[:, 1:])
        loss.backward()
    hf.write_config(folder / name / "config.json", config, old_rope=name == "llama3_rope")
    fixture.write_tensors(folder / name / "model.safetensors", hf.weights(model), hf.VERSIONS)
    expected = {"ids": ids.numpy(), "logits": logits.detach().numpy(), "loss": loss.detach().numpy()}
    expected |= hf.gradients(dict(model.named_parameters()))
    fixture.write_tensors(folder / name / "expected.safetensors", expected, hf.VERSIONS | {"gradients_of": "loss"})


def make(folder):
    for seed, (name, settings) in enumerate(CASES.items(), start=1):
        make_case(folder, name, settings, seed)
