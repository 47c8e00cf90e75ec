"""Tiny DeepSeek-V3 models: weights, token ids, and fp64 logits, loss and gradient of every tensor.

multi_token_prediction/ adds the layer after the last one by the formula of DeepSeek-V3 (arXiv 2412.19437,
section 2.2): h' = eh_proj([enorm(embedding of the next token); hnorm(h)]), one decoder block, shared_head.norm,
the output head. h is the main model's output after its final norm, as published inference code feeds it.
"""

import numpy as np
import torch
from transformers import DeepseekV3Config, DeepseekV3ForCausalLM
from transformers.modeling_layers import MtpLayer
from transformers.models.deepseek_v3 import modeling_deepseek_v3 as modeling

import fixture
import hf

TOLERANCE = 1e-10
BATCH, LENGTH = 2, 24

COMMON = dict(
    vocab_size=131, hidden_size=48, intermediate_size=40, moe_intermediate_size=16, num_hidden_layers=3,
    num_attention_heads=4, num_key_value_heads=4, kv_lora_rank=16, qk_nope_head_dim=12, qk_rope_head_dim=8,
    v_head_dim=10, n_routed_experts=8, n_shared_experts=1, num_experts_per_tok=3, n_group=4, topk_group=2,
    first_k_dense_replace=1, routed_scaling_factor=2.5, max_position_embeddings=256, rms_norm_eps=1e-5,
    architectures=["DeepseekV3ForCausalLM"])
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=64, beta_fast=4.0,
            beta_slow=0.5, mscale=0.7, mscale_all_dim=1.0)  # betas that leave one frequency half interpolated
CASES = {
    "default": dict(q_lora_rank=20, num_nextn_predict_layers=0,
                    rope_parameters=dict(rope_type="default", rope_theta=10000.0)),
    "yarn": dict(q_lora_rank=None, rope_interleave=False, norm_topk_prob=False, tie_word_embeddings=True,
                 num_nextn_predict_layers=0, rope_parameters=YARN),
    "multi_token_prediction": dict(q_lora_rank=20, num_nextn_predict_layers=1,
                                   rope_parameters=dict(rope_type="default", rope_theta=10000.0)),
}


def build(settings, seed, double):
    config = DeepseekV3Config(**COMMON, **settings)
    model = DeepseekV3ForCausalLM._from_config(config, attn_implementation="eager", experts_implementation="eager")
    if double:
        model = model.double()
        model.model.rotary_emb = modeling.DeepseekV3RotaryEmbedding(config)  # tables in fp64 too
    hf.set_random_weights(model, seed)
    return config, model


def routing_margin(model, ids):
    """Smallest gap between a chosen and the best unchosen score: must be wide, or fp32 may choose otherwise."""
    margins = []

    def watch(gate, inputs, output):
        scores = output[0].sigmoid() + gate.e_score_correction_bias
        groups = scores.view(-1, gate.num_group, scores.shape[-1] // gate.num_group).topk(2)[0].sum(-1)
        best_groups = groups.sort(descending=True)[0]
        margins.append((best_groups[:, gate.topk_group - 1] - best_groups[:, gate.topk_group]).min().item())
        keep = groups >= best_groups[:, gate.topk_group - 1:gate.topk_group]
        allowed = scores.masked_fill(~keep.repeat_interleave(scores.shape[-1] // gate.num_group, 1), -1e9)
        best = allowed.sort(descending=True)[0]
        margins.append((best[:, gate.top_k - 1] - best[:, gate.top_k]).min().item())

    gates = [m for m in model.modules() if isinstance(m, modeling.DeepseekV3TopkRouter)]
    handles = [gate.register_forward_hook(watch) for gate in gates]
    with torch.no_grad():
        model(input_ids=ids, use_cache=False)
    for handle in handles:
        handle.remove()
    return min(margins)


def token_ids(seed):
    random = np.random.Generator(np.random.PCG64(seed))
    return torch.from_numpy(random.integers(0, COMMON["vocab_size"], (BATCH, LENGTH)))


def next_token(model, ids):
    output = model.model(input_ids=ids, use_cache=False)
    logits = model.lm_head(output.last_hidden_state)
    return output.last_hidden_state, logits, hf.cross_entropy(logits[:, :-1], ids[:, 1:])


def second_next_token(model, layer, ids, hidden):
    """Logits for token t+2 at t = 0..LENGTH-2, from the main model's hidden state at t and token t+1."""
    length = ids.shape[1] - 1
    positions = torch.arange(length)[None]
    mask = torch.full((length, length), float("-inf"), dtype=hidden.dtype).triu(1)[None, None]
    embeddings = model.model.embed_tokens(ids[:, 1:])
    output = layer(inputs_embeds=embeddings, previous_hidden_state=hidden[:, :-1],
                   position_embeddings=model.model.rotary_emb(hidden, positions), attention_mask=mask,
                   position_ids=positions, past_key_values=None)
    logits = model.lm_head(output)
    return logits, hf.cross_entropy(logits[:, :-1], ids[:, 2:])


def layer_names(tensors, index):
    """MtpLayer's names -> those of the published checkpoint."""
    names = {}
    for name, tensor in tensors.items():
        name = name.replace("mtp_block.", "").replace("post_norm.", "shared_head.norm.")
        names[f"model.layers.{index}.{name}"] = tensor
    return names


def make_case(folder, name, settings, seed):
    ids = token_ids(100 + seed)
    _, single = build(settings, seed, double=False)
    with torch.no_grad():
        single_logits = single(input_ids=ids, use_cache=False).logits
    with hf.in_double(modeling):
        config, model = build(settings, seed, double=True)
        margin = routing_margin(model, ids)
        if margin < 1e-4:
            raise SystemExit(f"{name}: routing margin {margin:.1e}, choose another seed")
        hidden, logits, loss = next_token(model, ids)
        expected = {"ids": ids.numpy(), "logits": logits.detach().numpy(), "loss": loss.detach().numpy()}
        stored = hf.weights(model)
        parameters = dict(model.named_parameters())
        if settings["num_nextn_predict_layers"]:
            layer = MtpLayer(config, modeling.DeepseekV3DecoderLayer, modeling.DeepseekV3RMSNorm,
                             config.num_hidden_layers).double()
            layer.mtp_block.mlp.experts.config._experts_implementation = "eager"
            hf.set_random_weights(layer, seed + 1000)
            mtp_logits, loss = second_next_token(model, layer, ids, hidden)
            expected |= {"mtp_logits": mtp_logits.detach().numpy(), "mtp_loss": loss.detach().numpy()}
            stored |= layer_names(hf.weights(layer), config.num_hidden_layers)
            parameters |= layer_names(dict(layer.named_parameters()), config.num_hidden_layers)
        loss.backward()
    gap = (single_logits.double() - logits).abs().max() / logits.abs().max()
    if gap > 1e-4:
        raise SystemExit(f"{name}: transformers' own fp32 logits are {gap:.1e} from its fp64 ones")
    notes = hf.VERSIONS | {"gradients_of": "mtp_loss" if "mtp_loss" in expected else "loss",
                           "routing_margin": f"{margin:.1e}", "fp32_logit_gap": f"{gap:.1e}"}
    hf.write_config(folder / name / "config.json", config, old_rope=name == "multi_token_prediction")
    fixture.write_tensors(folder / name / "model.safetensors", stored, hf.VERSIONS)
    fixture.write_tensors(folder / name / "expected.safetensors", expected | hf.gradients(parameters), notes)
    print(f"  {name}: {notes}")


def make(folder):
    for seed, (name, settings) in enumerate(CASES.items(), start=1):
        make_case(folder, name, settings, seed)
