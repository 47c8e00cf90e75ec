// How llama.cpp's GGUF files name and lay out what transformers names: one table for both ways.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace cupel::llm {

/// A family and general.architecture. Of the families of one architecture the first is what a file
/// is read as, until its metadata tell more.
struct GgufArchitecture {
  std::string_view name, family;
};
inline constexpr std::array kGgufArchitectures{
    GgufArchitecture{"llama", "llama"},           GgufArchitecture{"qwen2", "qwen2"},
    GgufArchitecture{"qwen3", "qwen3"},           GgufArchitecture{"qwen3moe", "qwen3_moe"},
    GgufArchitecture{"deepseek2", "deepseek_v3"}, GgufArchitecture{"deepseek2", "deepseek_v2"},
    GgufArchitecture{"llama", "mistral"},
};

struct GgufName {
  std::string_view gguf, published;
};
inline constexpr std::array kGgufTopNames{
    GgufName{"token_embd.weight", "model.embed_tokens.weight"},
    GgufName{"output_norm.weight", "model.norm.weight"},
    GgufName{"output.weight", "lm_head.weight"},
};
/// Parts of a layer, before ".weight" and ".bias". Experts are one tensor a projection, its
/// outermost size their number; theirs are the last parts of names here.
inline constexpr std::array kGgufLayerNames{
    GgufName{"attn_norm", "input_layernorm"},
    GgufName{"attn_q", "self_attn.q_proj"},
    GgufName{"attn_k", "self_attn.k_proj"},
    GgufName{"attn_v", "self_attn.v_proj"},
    GgufName{"attn_output", "self_attn.o_proj"},
    GgufName{"attn_q_norm", "self_attn.q_norm"},
    GgufName{"attn_k_norm", "self_attn.k_norm"},
    GgufName{"attn_q_a", "self_attn.q_a_proj"},
    GgufName{"attn_q_a_norm", "self_attn.q_a_layernorm"},
    GgufName{"attn_q_b", "self_attn.q_b_proj"},
    GgufName{"attn_kv_a_mqa", "self_attn.kv_a_proj_with_mqa"},
    GgufName{"attn_kv_a_norm", "self_attn.kv_a_layernorm"},
    GgufName{"attn_kv_b", "self_attn.kv_b_proj"},
    GgufName{"ffn_norm", "post_attention_layernorm"},
    GgufName{"ffn_gate", "mlp.gate_proj"},
    GgufName{"ffn_up", "mlp.up_proj"},
    GgufName{"ffn_down", "mlp.down_proj"},
    GgufName{"ffn_gate_inp", "mlp.gate"},
    GgufName{"ffn_gate_shexp", "mlp.shared_experts.gate_proj"},
    GgufName{"ffn_up_shexp", "mlp.shared_experts.up_proj"},
    GgufName{"ffn_down_shexp", "mlp.shared_experts.down_proj"},
    GgufName{"ffn_gate_exps", "gate_proj"},
    GgufName{"ffn_up_exps", "up_proj"},
    GgufName{"ffn_down_exps", "down_proj"},
};

/// Within a head of the llama architecture's queries and keys, a file has pair i's two rows at 2 i
/// and 2 i + 1; transformers has them i and i + width / 2 (llama.cpp turns neighbours, transformers
/// halves). Where a file has transformers' row …
constexpr int64_t gguf_row(int64_t row, int64_t width) {
  const int64_t head = row / width, within = row % width;
  return head * width + 2 * (within % (width / 2)) + within / (width / 2);
}
/// … and which of transformers' rows stands at a file's.
constexpr int64_t published_row(int64_t row, int64_t width) {
  const int64_t head = row / width, within = row % width;
  return head * width + within % 2 * (width / 2) + within / 2;
}

}  // namespace cupel::llm
