"""A tiny model or two of every family, each with what reading it wrongly would get wrong: weights (fp16, so exact in
any type), token ids, fp64 logits, loss, gradient of every tensor, and 32 tokens that follow greedily.

check() also loads with transformers what tests/nn/llm/parity_nn_test.cpp saves of them.
"""

import json
import os
import pathlib
import subprocess
import tempfile

import numpy as np
import safetensors.numpy
import torch
import transformers
from transformers.models.deepseek_v2 import modeling_deepseek_v2
from transformers.models.deepseek_v3 import modeling_deepseek_v3
from transformers.models.llama import modeling_llama
from transformers.models.mistral import modeling_mistral
from transformers.models.qwen2 import modeling_qwen2
from transformers.models.qwen3 import modeling_qwen3
from transformers.models.qwen3_moe import modeling_qwen3_moe

import fixture
import hf

TOLERANCE = 1e-10
BATCH, LENGTH, PROMPT, CONTINUED = 2, 16, 8, 32
TESTS = pathlib.Path(__file__).resolve().parents[2] / "build" / "release" / "cupel_nn_tests"

# model_type -> module of the model, class
FAMILIES = {
    "deepseek_v2": (modeling_deepseek_v2, "DeepseekV2"),
    "deepseek_v3": (modeling_deepseek_v3, "DeepseekV3"),
    "llama": (modeling_llama, "Llama"),
    "mistral": (modeling_mistral, "Mistral"),
    "qwen2": (modeling_qwen2, "Qwen2"),
    "qwen3": (modeling_qwen3, "Qwen3"),
    "qwen3_moe": (modeling_qwen3_moe, "Qwen3Moe"),
}

COMMON = dict(vocab_size=79, hidden_size=24, intermediate_size=20, num_hidden_layers=2, num_attention_heads=4,
              max_position_embeddings=64, rms_norm_eps=1e-5)
LATENT = dict(kv_lora_rank=10, qk_nope_head_dim=6, qk_rope_head_dim=8, v_head_dim=5, n_routed_experts=8,
              moe_intermediate_size=8, num_experts_per_tok=3)

# The settings are the text of config.json: what a case leaves out means what it means to the class.
CASES = {
    # Full-rank queries, the older spelling of the rotary settings with whole numbers, a normalisation that the class
    # ignores, groups that "greedy" has no use for, two shared experts.
    "deepseek_v2_greedy": dict(
        model_type="deepseek_v2", **LATENT, q_lora_rank=None, topk_method="greedy", n_group=4, topk_group=1,
        n_shared_experts=2, norm_topk_prob=True, routed_scaling_factor=1.5, first_k_dense_replace=1,
        rope_theta=10000, rope_scaling=dict(type="yarn", factor=4, original_max_position_embeddings=16, beta_fast=4,
                                            beta_slow=1, mscale=0.7, mscale_all_dim=1)),
    # Groups, scaling, a bias wherever there may be one; dense layers nowhere.
    "deepseek_v2_groups": dict(
        model_type="deepseek_v2", **LATENT, q_lora_rank=12, topk_method="group_limited_greedy", n_group=4,
        topk_group=2, n_shared_experts=1, routed_scaling_factor=4.0, attention_bias=True, mlp_bias=True),
    # Every biased score below zero: masked groups must not win with a zero.
    "deepseek_v3": dict(
        model_type="deepseek_v3", **LATENT, num_key_value_heads=4, q_lora_rank=None, n_group=4, topk_group=2, n_shared_experts=1,
        routed_scaling_factor=2.5, first_k_dense_replace=1, attention_bias=True, num_nextn_predict_layers=0,
        rope_parameters=dict(rope_type="default", rope_theta=500.0)),
    # Biases everywhere, grouped queries, Llama 3's rotary scaling with whole numbers, tied embeddings.
    "llama": dict(
        model_type="llama", num_key_value_heads=2, attention_bias=True, mlp_bias=True, tie_word_embeddings=True,
        rope_theta=500000.0, rope_scaling=dict(rope_type="llama3", factor=8, low_freq_factor=1, high_freq_factor=4,
                                               original_max_position_embeddings=16)),
    # A window shorter than the text; heads of another width than hidden_size / num_attention_heads.
    "mistral": dict(model_type="mistral", num_key_value_heads=2, head_dim=6, sliding_window=5,
                    rope_parameters=dict(rope_type="default", rope_theta=1000000.0)),
    # Biases of queries, keys and values alone; YaRN without mscales; a window from the second layer on.
    "qwen2": dict(
        model_type="qwen2", num_key_value_heads=2, tie_word_embeddings=True, use_sliding_window=True,
        sliding_window=6, max_window_layers=1,
        rope_parameters=dict(rope_type="yarn", rope_theta=10000.0, factor=2.0, original_max_position_embeddings=32)),
    # A norm over each head; a window that is switched off.
    "qwen3": dict(model_type="qwen3", num_key_value_heads=1, head_dim=10, use_sliding_window=False, sliding_window=3,
                  max_window_layers=0, attention_bias=True, rope_theta=1000000),
    # Weights that sum to one; a dense layer by name.
    "qwen3_moe": dict(
        model_type="qwen3_moe", num_key_value_heads=2, head_dim=10, num_experts=8, num_experts_per_tok=3,
        moe_intermediate_size=8, norm_topk_prob=True, mlp_only_layers=[0], rope_theta=10000.0),
    # Weights that do not; a dense layer by the step; a window in all layers.
    "qwen3_moe_step": dict(
        model_type="qwen3_moe", num_key_value_heads=4, num_experts=6, num_experts_per_tok=2,
        moe_intermediate_size=8, decoder_sparse_step=2, use_sliding_window=True, sliding_window=4),
}


# Where the first seed leaves two experts or two tokens too close, or repeats a token.
SEEDS = {"deepseek_v3": 23, "llama": 164}


def config_of(values):
    values = {key: value for key, value in values.items() if key != "architectures"}
    return transformers.AutoConfig.for_model(**json.loads(json.dumps(values)))


def build(config, double):
    modeling, name = FAMILIES[config.model_type]
    model = getattr(modeling, name + "ForCausalLM")._from_config(config, attn_implementation="eager",
                                                                 experts_implementation="eager")
    if double:
        model = model.double()
        model.model.rotary_emb = getattr(modeling, name + "RotaryEmbedding")(config)  # tables in fp64 too
    return model.eval()


def set_weights(model, seed):
    hf.set_random_weights(model, seed, rounded_to=np.float16)
    with torch.no_grad():
        if model.config.tie_word_embeddings:
            weight = model.model.embed_tokens.weight  # smaller, or every token would be followed by itself
            weight.copy_((weight / 8).half())
        for name, buffer in model.named_buffers():
            if name.endswith("e_score_correction_bias"):
                buffer.sub_(1.5)


def margin_of(model, ids):
    """Smallest gap between a chosen and the best unchosen expert or group, in units of score: must be wide, or fp32
    may choose otherwise."""
    margins = []

    def gap(scores, kept):
        best = scores.sort(descending=True)[0]
        margins.append((best[:, kept - 1] - best[:, kept]).min().item())

    def watch(gate, inputs, output):
        logits = output[0]
        biased = hasattr(gate, "e_score_correction_bias")
        scores = logits.sigmoid() + gate.e_score_correction_bias if biased else logits.softmax(-1)
        if biased or getattr(gate, "topk_method", "") == "group_limited_greedy":
            grouped = scores.view(len(scores), gate.num_group, -1)
            groups = grouped.topk(2 if biased else 1)[0].sum(-1)
            gap(groups, gate.topk_group)
            kept = groups >= groups.topk(gate.topk_group)[0].min(-1, keepdim=True)[0]
            scores = grouped.masked_fill(~kept.unsqueeze(-1), -1e9).flatten(1)
        gap(scores, gate.top_k)

    handles = [m.register_forward_hook(watch) for m in model.modules() if type(m).__name__.endswith("Router")]
    with torch.no_grad():
        model(input_ids=ids, use_cache=False)
    for handle in handles:
        handle.remove()
    return min(margins, default=1)


def continue_greedily(model, prompt):
    """The ids with those that follow, and the smallest gap between the two largest logits on the way."""
    ids, narrowest = prompt, float("inf")
    with torch.no_grad():
        for _ in range(CONTINUED):
            best = model(input_ids=ids, use_cache=False).logits[0, -1].topk(2)
            narrowest = min(narrowest, (best.values[0] - best.values[1]).item())
            ids = torch.cat([ids, best.indices[:1, None]], 1)
    return ids[0], narrowest


def make_case(folder, name, settings, seed):
    random = np.random.Generator(np.random.PCG64(300 + seed))
    ids = torch.from_numpy(random.integers(0, COMMON["vocab_size"], (BATCH, LENGTH)))
    modeling, class_name = FAMILIES[settings["model_type"]]
    values = {"architectures": [class_name + "ForCausalLM"], **COMMON, **settings}
    single = build(config_of(values), double=False)
    set_weights(single, seed)
    with torch.no_grad():
        single_logits = single(input_ids=ids, use_cache=False).logits
    with hf.in_double(modeling):
        model = build(config_of(values), double=True)
        set_weights(model, seed)
        logits = model(input_ids=ids, use_cache=False).logits
        loss = hf.cross_entropy(logits[:, :-1], ids[:, 1:])
        loss.backward()
        tokens, narrowest = continue_greedily(model, ids[:1, :PROMPT])
        margin = min(margin_of(model, ids), margin_of(model, tokens[None]))
    gap = (single_logits.double() - logits).abs().max() / logits.abs().max()
    notes = hf.VERSIONS | {"routing_margin": f"{margin:.1e}", "greedy_margin": f"{narrowest:.1e}",
                           "fp32_logit_gap": f"{gap:.1e}"}
    print(f"  {name}: {notes}")
    if margin < 2e-5 or narrowest < 1e-3 or gap > 1e-4 or len(set(tokens[PROMPT:].tolist())) < 6:
        raise SystemExit(f"{name}: too close or too dull, choose another seed")
    fixture.write_json(folder / name / "config.json", values)
    stored = {key: tensor if key.endswith("e_score_correction_bias") else tensor.astype(np.float16)
              for key, tensor in hf.weights(model).items()}
    fixture.write_tensors(folder / name / "model.safetensors", stored, hf.VERSIONS)
    expected = {"ids": ids.numpy(), "logits": logits.detach().numpy(), "loss": loss.detach().numpy(),
                "greedy": tokens.numpy()}
    fixture.write_tensors(folder / name / "expected.safetensors",
                          expected | hf.gradients(dict(model.named_parameters())), notes)


def make(folder):
    for seed, (name, settings) in enumerate(CASES.items(), start=1):
        make_case(folder, name, settings, SEEDS.get(name, seed))


def check(stored):
    """What differs between the stored logits, also of deepseek_v3_tiny and llama_tiny, and those that transformers gets
    from what our tests saved."""
    if not TESTS.exists():
        return [f"{TESTS} is not built, so nothing that was saved could be loaded"]
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()  # or it lists a prediction layer, which it leaves out
    found = []
    with tempfile.TemporaryDirectory() as saved:
        subprocess.run([TESTS, "--gtest_filter=*SavesWhatTransformersLoads*"], check=True,
                       env=os.environ | {"CUPEL_SAVED_MODELS": saved}, stdout=subprocess.DEVNULL)
        for folder in sorted(path.parent for path in pathlib.Path(saved).rglob("config.json")):
            name = folder.relative_to(saved)
            expected = safetensors.numpy.load_file(stored.parent / name / "expected.safetensors")
            logits, info = logits_of(folder, torch.from_numpy(expected["ids"]))
            gap = np.abs(logits - expected["logits"]).max() / np.abs(expected["logits"]).max()
            print(f"  {name}: transformers reads what was saved with a gap of {gap:.1e}")
            if gap > 1e-9 or info["missing_keys"] or info["mismatched_keys"]:
                found.append(f"{name}: saved, it gives transformers logits {gap:.1e} apart; {info}")
    return found


def logits_of(folder, ids):
    config = transformers.AutoConfig.from_pretrained(folder)
    modeling, class_name = FAMILIES[config.model_type]
    with hf.in_double(modeling), torch.no_grad():
        model, info = getattr(modeling, class_name + "ForCausalLM").from_pretrained(
            folder, attn_implementation="eager", dtype=torch.float64, experts_implementation="eager",
            output_loading_info=True)
        model.model.rotary_emb = getattr(modeling, class_name + "RotaryEmbedding")(config)
        return model(input_ids=ids, use_cache=False).logits.numpy(), info
