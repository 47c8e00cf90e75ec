// The list: one row a family of decoder-only models that config.json can name.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace cupel::llm {

/// Everything that tells families apart; the decoder stack is one.
struct Family {
  std::string_view name;          // model_type
  std::string_view architecture;  // architectures[0]
  bool latent_attention;          // multi-head latent attention instead of grouped-query attention
  bool mixture_of_experts;        // from layer first_k_dense_replace on
  bool interleaved_rotary;        // what config.json means where it does not say rope_interleave
};

inline constexpr std::array kFamilies{
    Family{"deepseek_v3", "DeepseekV3ForCausalLM", true, true, true},
    Family{"llama", "LlamaForCausalLM", false, false, false},
};

/// The row, or null pointer.
const Family* find_family(std::string_view name);
/// "deepseek_v3, llama"
std::string known_families();

}  // namespace cupel::llm
