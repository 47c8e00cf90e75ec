// The shape of a decoder-only language model, under the names of Hugging Face's config.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/json.h"

namespace cupel::llm {

/// Context extension as config.json's rope_scaling gives it: yarn (Peng et al. 2023), or Llama 3's.
/// Meanings and what a missing key stands for are those of transformers (modeling_rope_utils.py).
struct RopeScaling {
  std::string type = "yarn";
  double factor = 1;
  int64_t original_max_position_embeddings = 4096;
  double beta_fast = 32;
  double beta_slow = 1;
  double mscale = 0;
  double mscale_all_dim = 0;
  std::optional<double> attention_factor{};
  bool truncate = true;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  static constexpr auto fields() {
    using C = RopeScaling;
    return std::tuple{
        Field{"type", &C::type, "yarn or llama3"}.also("rope_type"),
        Field{"factor", &C::factor, "context length over the original one", 1, 1e6},
        Field{"original_max_position_embeddings", &C::original_max_position_embeddings,
              "original context", 1, 1e9},
        Field{"beta_fast", &C::beta_fast, "rotations above which a dimension is left alone", 0,
              1e6},
        Field{"beta_slow", &C::beta_slow, "rotations below which a dimension is interpolated", 0,
              1e6},
        Field{"mscale", &C::mscale,
              "numerator of the attention factor; counts only beside mscale_all_dim", 0, 100},
        Field{"mscale_all_dim", &C::mscale_all_dim, "denominator of it, and of the softmax scale",
              0, 100},
        Field{"attention_factor", &C::attention_factor,
              "yarn: of cosines and sines; default: from factor and both mscales", 0, 1e6},
        Field{"truncate", &C::truncate, "yarn: the borders of interpolation are whole pairs"},
        Field{"low_freq_factor", &C::low_freq_factor,
              "llama3: longest wavelength left alone, as a share of the context", 0, 1e6},
        Field{"high_freq_factor", &C::high_freq_factor,
              "llama3: shortest wavelength interpolated, likewise", 0, 1e6}};
  }
};

/// Defaults make a DeepSeek-V3 of about 3 M parameters. Which family has which setting: families.h.
struct ModelConfig {
  std::string family = "deepseek_v3";  // model_type
  int64_t vocab_size = 0;              // 0: the tokenizer's
  int64_t hidden_size = 192;
  int64_t intermediate_size = 512;
  int64_t num_hidden_layers = 4;
  int64_t num_attention_heads = 4;
  std::optional<int64_t> num_key_value_heads;
  std::optional<int64_t> head_dim;
  std::optional<int64_t> sliding_window;
  int64_t max_window_layers = 0;
  // Multi-head latent attention (DeepSeek-V2, section 2.1).
  std::optional<int64_t> q_lora_rank;
  int64_t kv_lora_rank = 64;
  int64_t qk_nope_head_dim = 32;
  int64_t qk_rope_head_dim = 16;
  int64_t v_head_dim = 32;
  // Mixture of experts (DeepSeek-V3, section 2.1.2).
  int64_t n_routed_experts = 8;
  int64_t n_shared_experts = 1;
  int64_t num_experts_per_tok = 2;
  int64_t moe_intermediate_size = 128;
  int64_t first_k_dense_replace = 1;
  int64_t decoder_sparse_step = 1;
  std::vector<int64_t> mlp_only_layers;
  int64_t n_group = 1;
  int64_t topk_group = 1;
  double routed_scaling_factor = 1;
  bool norm_topk_prob = true;
  // Multi-token prediction (DeepSeek-V3, section 2.2).
  int64_t num_nextn_predict_layers = 0;
  int64_t max_position_embeddings = 2048;
  double rope_theta = 10000;
  std::optional<RopeScaling> rope_scaling;
  bool rope_interleave = true;
  double rms_norm_eps = 1e-6;
  bool tie_word_embeddings = false;
  bool attention_bias = false;
  bool mlp_bias = false;
  double initializer_range = 0.02;

  static constexpr auto fields() {
    using C = ModelConfig;
    return std::tuple{
        Field{"family", &C::family,
              "deepseek_v2, deepseek_v3, llama, mistral, qwen2, qwen3, qwen3_moe or bert"}
            .also("model_type"),
        Field{"vocab_size", &C::vocab_size, "tokens; 0 = the tokenizer's", 0, 1e7},
        Field{"hidden_size", &C::hidden_size, "width of the residual stream", 1, 1e6},
        Field{"intermediate_size", &C::intermediate_size, "width of a dense feed-forward layer", 1,
              1e7},
        Field{"num_hidden_layers", &C::num_hidden_layers, "blocks", 1, 1e4},
        Field{"num_attention_heads", &C::num_attention_heads, "query heads", 1, 1e4},
        Field{"num_key_value_heads", &C::num_key_value_heads,
              "key and value heads; default: query heads", 1, 1e4},
        Field{"head_dim", &C::head_dim,
              "width of a head; default: hidden_size / num_attention_heads", 1, 1e5},
        Field{"sliding_window", &C::sliding_window,
              "tokens that a token sees, itself among them; default: all before it", 1, 1e9},
        Field{"max_window_layers", &C::max_window_layers, "first layers without a sliding window",
              0, 1e4},
        Field{"q_lora_rank", &C::q_lora_rank, "rank of the query's latent; default: no latent", 1,
              1e6},
        Field{"kv_lora_rank", &C::kv_lora_rank, "rank of the latent that keys and values share", 1,
              1e6},
        Field{"qk_nope_head_dim", &C::qk_nope_head_dim, "head dimensions without rotary position",
              1, 1e5},
        Field{"qk_rope_head_dim", &C::qk_rope_head_dim,
              "head dimensions with rotary position, even", 2, 1e5},
        Field{"v_head_dim", &C::v_head_dim, "value dimensions a head", 1, 1e5},
        Field{"n_routed_experts", &C::n_routed_experts, "routed experts a layer", 1, 1e5}.also(
            "num_experts", "num_local_experts"),
        Field{"n_shared_experts", &C::n_shared_experts, "shared experts a layer, one fused MLP", 0,
              1e4},
        Field{"num_experts_per_tok", &C::num_experts_per_tok, "routed experts a token", 1, 1e4},
        Field{"moe_intermediate_size", &C::moe_intermediate_size, "width of an expert", 1, 1e7},
        Field{"first_k_dense_replace", &C::first_k_dense_replace,
              "first layers with a dense feed-forward", 0, 1e4},
        Field{"decoder_sparse_step", &C::decoder_sparse_step,
              "every how many layers one has experts", 1, 1e4},
        Field{"mlp_only_layers", &C::mlp_only_layers, "further layers with a dense feed-forward", 0,
              1e4},
        Field{"n_group", &C::n_group, "groups that experts are chosen by", 1, 1e4},
        Field{"topk_group", &C::topk_group, "groups a token may choose from", 1, 1e4},
        Field{"routed_scaling_factor", &C::routed_scaling_factor,
              "factor of the routed experts' sum", 0, 1e4},
        Field{"norm_topk_prob", &C::norm_topk_prob, "the chosen experts' weights sum to one"},
        Field{"num_nextn_predict_layers", &C::num_nextn_predict_layers,
              "multi-token prediction layers", 0, 8}
            .also("num_mtp_layers"),
        Field{"max_position_embeddings", &C::max_position_embeddings, "longest sequence", 1, 1e9},
        Field{"rope_theta", &C::rope_theta, "base of the rotary angles", 1, 1e12},
        Field{"rope_scaling", &C::rope_scaling, "context extension: YaRN or Llama 3's"},
        Field{"rope_interleave", &C::rope_interleave, "rotary pairs are neighbours (DeepSeek)"},
        Field{"rms_norm_eps", &C::rms_norm_eps, "epsilon of RMSNorm", 0, 1},
        Field{"tie_word_embeddings", &C::tie_word_embeddings, "the head uses the embedding matrix"},
        Field{"attention_bias", &C::attention_bias, "biases in attention"},
        Field{"mlp_bias", &C::mlp_bias, "biases in dense feed-forward layers and shared experts"},
        Field{"initializer_range", &C::initializer_range, "standard deviation of the first weights",
              0, 10}};
  }
  /// Dimensions of a head's query: with and without rotary position.
  int64_t query_width() const;
  int64_t rotary_width() const;
  /// Whether rotary pairs are neighbours: in DeepSeek's families, unless rope_interleave says no.
  bool interleaves() const;
  /// Tokens that a token sees in a layer, itself among them; nothing: all before it.
  std::optional<int64_t> window(int64_t layer) const;
  /// Whether a layer's feed-forward part is a mixture of experts.
  bool routes(int64_t layer) const;
  /// Shared experts of such a layer, as one MLP of this width; 0: none.
  int64_t shared_width() const;
  /// Whether the weights of a token's experts are divided by their sum.
  bool normalises_experts() const;
  /// What spans fields: unknown family (lists the known ones), settings of another one, heads that
  /// do not divide, groups, odd rotary width, …
  std::vector<std::string> problems() const;
};

/// Reads config.json (rope_scaling and the newer rope_parameters; floats or ints). A key that is
/// not there means what it means to transformers. An unknown architecture is an Error{config} that
/// lists the known ones; a hostile number, or a rotary setting that is not built, one that names
/// the key.
ModelConfig read_model_config(const std::filesystem::path& file);
/// The same of the file's text; errors begin with `where`.
ModelConfig parse_model_config(std::string_view text, const std::string& where);
/// The text of config.json as transformers reads it.
json::Value to_hf_json(const ModelConfig& model);

/// A trained tensor of the model under the name that the decoder's module gives it: those of
/// transformers, with the experts of a layer fused into 3-D tensors.
struct ParameterShape {
  std::string name;
  std::vector<int64_t> shape;
  int64_t size() const;
};
std::vector<ParameterShape> parameter_shapes(const ModelConfig& config);

int64_t parameter_count(const ModelConfig& config);
/// Parameters that one token passes through (routed experts count num_experts_per_tok times).
int64_t active_parameter_count(const ModelConfig& config);

}  // namespace cupel::llm
