// The list: one row a family of decoder-only models that config.json can name.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace cupel::llm {

/// How a layer's experts are chosen and weighed.
enum class Routing {
  none,     // every layer is dense
  sigmoid,  // of each score alone, plus a balancing bias where they are chosen (DeepSeek-V3)
  softmax,  // over all experts
};

/// Everything that tells families apart; the decoder stack is one.
struct Family {
  std::string_view name;          // model_type
  std::string_view architecture;  // architectures[0]
  Routing routing = Routing::none;
  bool latent_attention = false;      // multi-head latent attention, not grouped-query attention
  bool query_key_value_bias = false;  // whatever attention_bias says; none behind the values
  bool head_norm = false;             // RMSNorm over each head of queries and keys
  bool whole_heads = false;  // transformers asks that num_attention_heads divides hidden_size
  /// Fields of ModelConfig that not every family has and this one does.
  std::string_view settings;
  /// JSON: what transformers' configuration class takes for a key that config.json lacks, where
  /// that is not what ModelConfig has.
  std::string_view defaults = "{}";

  bool has(std::string_view setting) const;
};

inline constexpr std::array kFamilies{
    Family{.name = "deepseek_v2",
           .architecture = "DeepseekV2ForCausalLM",
           .routing = Routing::softmax,
           .latent_attention = true,
           .whole_heads = true,
           .settings = "q_lora_rank kv_lora_rank qk_nope_head_dim qk_rope_head_dim v_head_dim "
                       "n_routed_experts n_shared_experts num_experts_per_tok "
                       "moe_intermediate_size first_k_dense_replace n_group topk_group "
                       "routed_scaling_factor attention_bias mlp_bias",
           .defaults = R"({"q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
                           "qk_rope_head_dim": 64, "v_head_dim": 128, "n_routed_experts": 64,
                           "n_shared_experts": 2, "moe_intermediate_size": 1407,
                           "first_k_dense_replace": 0, "topk_method": "greedy"})"},
    // One default of the class is left out: it counts a prediction layer even where the file, and
    // so the weights, have none.
    Family{.name = "deepseek_v3",
           .architecture = "DeepseekV3ForCausalLM",
           .routing = Routing::sigmoid,
           .latent_attention = true,
           .settings = "q_lora_rank kv_lora_rank qk_nope_head_dim qk_rope_head_dim v_head_dim "
                       "n_routed_experts n_shared_experts num_experts_per_tok "
                       "moe_intermediate_size first_k_dense_replace n_group topk_group "
                       "routed_scaling_factor norm_topk_prob num_nextn_predict_layers "
                       "rope_interleave attention_bias",
           .defaults = R"({"q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
                           "qk_rope_head_dim": 64, "v_head_dim": 128, "n_routed_experts": 256,
                           "num_experts_per_tok": 8, "moe_intermediate_size": 2048,
                           "first_k_dense_replace": 3, "n_group": 8, "topk_group": 4,
                           "routed_scaling_factor": 2.5, "max_position_embeddings": 4096,
                           "topk_method": "noaux_tc"})"},
    Family{.name = "llama",
           .architecture = "LlamaForCausalLM",
           .whole_heads = true,
           .settings = "num_key_value_heads head_dim attention_bias mlp_bias"},
    Family{.name = "mistral",
           .architecture = "MistralForCausalLM",
           .settings = "num_key_value_heads head_dim sliding_window",
           .defaults = R"({"num_key_value_heads": 8, "max_position_embeddings": 131072,
                           "sliding_window": 4096})"},
    Family{.name = "qwen2",
           .architecture = "Qwen2ForCausalLM",
           .query_key_value_bias = true,
           .settings = "num_key_value_heads head_dim sliding_window max_window_layers",
           .defaults = R"({"num_key_value_heads": 32, "max_position_embeddings": 32768,
                           "sliding_window": 4096, "max_window_layers": 28,
                           "use_sliding_window": false})"},
    Family{.name = "qwen3",
           .architecture = "Qwen3ForCausalLM",
           .head_norm = true,
           .settings = "num_key_value_heads head_dim attention_bias sliding_window "
                       "max_window_layers",
           .defaults = R"({"num_key_value_heads": 32, "head_dim": 128,
                           "max_position_embeddings": 32768, "sliding_window": 4096,
                           "max_window_layers": 28, "use_sliding_window": false})"},
    Family{.name = "qwen3_moe",
           .architecture = "Qwen3MoeForCausalLM",
           .routing = Routing::softmax,
           .head_norm = true,
           .settings = "num_key_value_heads head_dim attention_bias sliding_window "
                       "n_routed_experts num_experts_per_tok moe_intermediate_size "
                       "norm_topk_prob decoder_sparse_step mlp_only_layers",
           .defaults = R"({"num_key_value_heads": 4, "max_position_embeddings": 32768,
                           "sliding_window": 4096, "use_sliding_window": false,
                           "n_routed_experts": 128, "num_experts_per_tok": 8,
                           "moe_intermediate_size": 768, "norm_topk_prob": false})"},
};

/// The encoder that train's task classify builds: no decoder, and so no row of the list.
inline constexpr Family kEncoderFamily{.name = "bert",
                                       .architecture = "BertForSequenceClassification",
                                       .whole_heads = true,
                                       .settings = ""};

/// The row, or null pointer.
const Family* find_family(std::string_view name);
/// "deepseek_v2, deepseek_v3, …"
std::string known_families();
/// Whether some families have this field of ModelConfig and others have no use for it.
bool tells_families_apart(std::string_view setting);

}  // namespace cupel::llm
