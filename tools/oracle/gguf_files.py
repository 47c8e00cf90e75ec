"""GGUF files written by the Python package `gguf`, and the fp32 values it reads from their tensors."""

import json
import pathlib

import gguf
import numpy as np
import safetensors.numpy

import fixture

TOLERANCE = 0

TYPES = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL", "Q4_K", "Q5_K", "Q6_K")
# Where a block of the format holds its fp16 scales (byte offsets); every other byte may be anything.
SCALES = {"Q8_0": (0,), "Q4_0": (0,), "Q4_1": (0, 2), "Q5_0": (0,), "Q5_1": (0, 2), "IQ4_NL": (0,), "Q4_K": (0, 2),
          "Q5_K": (0, 2), "Q6_K": (208,)}
ROWS, COLUMNS = 3, 512


def random_blocks(name, seed):
    """Bytes [ROWS, bytes a row] of a tensor whose every code occurs; scales of either sign, subnormal ones among them."""
    random = np.random.Generator(np.random.PCG64([7, seed]))
    items, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]
    if name in ("F32", "F16", "BF16"):
        values = random.standard_normal((ROWS, COLUMNS)).astype(np.float32) * np.exp2(random.integers(-20, 12, (ROWS, COLUMNS)))
        return gguf.quantize(values.astype(np.float32), gguf.GGMLQuantizationType[name]).reshape(ROWS, -1).view(np.uint8)
    blocks = random.integers(0, 256, (ROWS, COLUMNS // items, size)).astype(np.uint8)
    for at in SCALES[name]:
        scales = random.standard_normal(blocks.shape[:2]) * np.exp2(random.integers(-22, 4, blocks.shape[:2]))
        blocks[..., at:at + 2] = scales.astype(np.float16)[..., None].view(np.uint8)
    return blocks.reshape(ROWS, -1)


def write_types(folder):
    writer = gguf.GGUFWriter(folder / "types.gguf", "none")
    writer.add_uint8("kinds.uint8", 200)
    writer.add_int8("kinds.int8", -100)
    writer.add_uint16("kinds.uint16", 60000)
    writer.add_int16("kinds.int16", -30000)
    writer.add_uint32("kinds.uint32", 4000000000)
    writer.add_int32("kinds.int32", -2000000000)
    writer.add_uint64("kinds.uint64", 2 ** 63 + 1)
    writer.add_int64("kinds.int64", -2 ** 62)
    writer.add_float32("kinds.float32", 1e-5)
    writer.add_float64("kinds.float64", 0.1)
    writer.add_bool("kinds.bool", True)
    writer.add_string("kinds.text", "größer")
    writer.add_array("kinds.texts", ["a", "", "中文"])
    writer.add_array("kinds.ints", [1, -2, 3])
    writer.add_array("kinds.floats", [0.5, -0.25])
    expected = {}
    for seed, name in enumerate(TYPES):
        kind = gguf.GGMLQuantizationType[name]
        raw = random_blocks(name, seed)
        writer.add_tensor(name, raw, raw_dtype=kind)
        expected[name] = gguf.dequantize(raw, kind).astype(np.float32).reshape(ROWS, COLUMNS)
    for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
        step()
    fixture.write_tensors(folder / "types.safetensors", expected, {"gguf": "0.19.0"})


# Case of tests/fixtures/families -> architecture; deepseek2 with kv_b whole, as files before 2025-04 have it, or in parts.
MODELS = {"llama": "LLAMA", "mistral": "LLAMA", "qwen2": "QWEN2", "qwen3": "QWEN3", "qwen3_moe": "QWEN3MOE",
          "deepseek_v2_greedy": "DEEPSEEK2", "deepseek_v2_groups": "DEEPSEEK2", "deepseek_v3": "DEEPSEEK2"}
WHOLE_KV_B = ("deepseek_v2_greedy",)
FAMILIES = pathlib.Path(__file__).resolve().parents[2] / "tests" / "fixtures" / "families"


def turned(rows, heads):
    """llama.cpp's order of a head's rows: what stands in the two halves of a head becomes neighbours."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def rope_of(config):
    rope = config.get("rope_scaling") or config.get("rope_parameters") or {}
    return config.get("rope_theta") or rope.get("rope_theta", 10000.0), rope


def llama3_divisors(theta, width, factor):
    """As the converter writes them; with the context of the published models, 8192."""
    wavelengths = 2 * np.pi * theta ** (np.arange(0, width, 2) / width)
    smooth = (8192 / wavelengths - 1) / 3
    blend = 1 / ((1 - smooth) / factor + smooth)
    return np.where(wavelengths < 8192 / 4, 1, np.where(wavelengths > 8192, factor, blend)).astype(np.float32)


def write_metadata(writer, config, arch):
    heads = config["num_attention_heads"]
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    theta, rope = rope_of(config)
    writer.add_rope_freq_base(theta)
    if rope.get("rope_type", rope.get("type")) == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        if "mscale_all_dim" in rope:
            writer.add_rope_scaling_yarn_log_mul(0.1 * rope["mscale_all_dim"])
    if arch != "DEEPSEEK2":
        width = config.get("head_dim", config["hidden_size"] // heads)
        writer.add_head_count_kv(config["num_key_value_heads"])
        writer.add_key_length(width)
        writer.add_rope_dimension_count(width)
    if arch == "QWEN3MOE":
        writer.add_expert_count(config["num_experts"])
        writer.add_expert_used_count(config["num_experts_per_tok"])
        writer.add_expert_feed_forward_length(config["moe_intermediate_size"])


def write_deepseek(writer, config, whole_kv_b):
    sigmoid = config["model_type"] == "deepseek_v3"
    nope, rotated, value = config["qk_nope_head_dim"], config["qk_rope_head_dim"], config["v_head_dim"]
    rank = config["kv_lora_rank"]
    writer.add_head_count_kv(config["num_attention_heads"] if whole_kv_b else 1)
    writer.add_key_length(nope + rotated if whole_kv_b else rank + rotated)
    writer.add_value_length(value if whole_kv_b else rank)
    if not whole_kv_b:
        writer.add_key_length_mla(nope + rotated)
        writer.add_value_length_mla(value)
    if config.get("q_lora_rank") is not None:
        writer.add_q_lora_rank(config["q_lora_rank"])
    writer.add_kv_lora_rank(rank)
    writer.add_rope_dimension_count(rotated)
    writer.add_leading_dense_block_count(config.get("first_k_dense_replace", 3 if sigmoid else 0))
    writer.add_expert_count(config["n_routed_experts"])
    writer.add_expert_used_count(config["num_experts_per_tok"])
    writer.add_expert_feed_forward_length(config["moe_intermediate_size"])
    writer.add_expert_shared_count(config["n_shared_experts"])
    writer.add_expert_weights_scale(config["routed_scaling_factor"])
    writer.add_expert_weights_norm(bool(config.get("norm_topk_prob", True)) and sigmoid)
    if config.get("topk_method") != "greedy":  # where it is greedy, the published models have one group
        writer.add_expert_group_count(config["n_group"])
        writer.add_expert_group_used_count(config["topk_group"])
    if not whole_kv_b:
        writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID if sigmoid else gguf.ExpertGatingFuncType.SOFTMAX)


def with_fused_experts(tensors):
    """Experts of a layer and projection as one tensor [experts, out, in]."""
    fused, experts = {}, {}
    for name, tensor in tensors.items():
        before, _, after = name.partition(".experts.")
        if after:
            index, rest = after.split(".", 1)
            experts.setdefault(f"{before}.experts.{rest}", {})[int(index)] = tensor
        else:
            fused[name] = tensor
    return fused | {name: np.stack([parts[i] for i in range(len(parts))]) for name, parts in experts.items()}


def converted(tensors, config, arch, whole_kv_b):
    """(name under transformers or ours for a part of kv_b, tensor in the layout of GGUF)"""
    heads = config["num_attention_heads"]
    for name, tensor in with_fused_experts(tensors).items():
        if arch == "LLAMA" and ".q_proj." in name:
            tensor = turned(tensor, heads)
        if arch == "LLAMA" and ".k_proj." in name:
            tensor = turned(tensor, config["num_key_value_heads"])
        if name.endswith("kv_b_proj.weight") and not whole_kv_b:
            parts = tensor.reshape(heads, -1, tensor.shape[-1])
            nope = config["qk_nope_head_dim"]
            yield name.replace("kv_b_proj", "k_b_proj"), parts[:, :nope].swapaxes(1, 2)
            yield name.replace("kv_b_proj", "v_b_proj"), parts[:, nope:]
        else:
            yield name.replace("e_score_correction_bias", "e_score_correction.bias"), tensor


def published(case):
    """config.json and tensors of the case. GGUF has no dense layer among qwen3moe's: layer 0 gets the experts of layer 1."""
    config = json.loads((FAMILIES / case / "config.json").read_text())
    tensors = safetensors.numpy.load_file(FAMILIES / case / "model.safetensors")
    if case == "qwen3_moe":
        tensors = {name: tensor for name, tensor in tensors.items() if ".0.mlp." not in name}
        tensors |= {name.replace(".1.mlp.", ".0.mlp."): tensor for name, tensor in tensors.items() if ".1.mlp." in name}
    return config, tensors


def write_model(folder, case, arch):
    config, tensors = published(case)
    writer = gguf.GGUFWriter(folder / f"{case}.gguf", gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH[arch]])
    write_metadata(writer, config, arch)
    if arch == "DEEPSEEK2":
        write_deepseek(writer, config, case in WHOLE_KV_B)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[arch], config["num_hidden_layers"])
    theta, rope = rope_of(config)
    if rope.get("rope_type") == "llama3":
        width = config["hidden_size"] // config["num_attention_heads"]
        writer.add_tensor("rope_freqs.weight", llama3_divisors(theta, width, rope["factor"]))
    for name, tensor in converted(tensors, config, arch, case in WHOLE_KV_B):
        new = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if new is None:
            raise SystemExit(f"{case}: {name} has no name in GGUF")
        small = tensor.ndim == 1 or new.endswith("ffn_gate_inp.weight")
        writer.add_tensor(new, np.ascontiguousarray(tensor.astype(np.float32 if small else np.float16)))
    for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
        step()


def make(folder):
    folder.mkdir(parents=True)
    write_types(folder)
    for case, arch in MODELS.items():
        write_model(folder, case, arch)
