#include "nn/llm/gguf_model.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "nn/llm/gguf_layout.h"

namespace cupel::llm {
namespace {

constexpr const char* kCannot = "this is no model that can be loaded";

/// Metadata below the architecture's name.
class Metadata {
 public:
  explicit Metadata(const Gguf& gguf) : file(gguf) {
    constexpr std::string_view kKey = "general.architecture";
    name = file.at(kKey).as_text(file.place(kKey));
    const auto row = std::ranges::find(kGgufArchitectures, name, &GgufArchitecture::name);
    if (row == kGgufArchitectures.end()) {
      std::string known;
      for (auto each = kGgufArchitectures.begin(); each != kGgufArchitectures.end(); ++each) {
        if (std::ranges::find(kGgufArchitectures, each->name, &GgufArchitecture::name) == each)
          known += (known.empty() ? "" : ", ") + std::string(each->name);
      }
      fail(ErrorKind::config, file.place(kKey), "unknown architecture \"" + clip(name, 80) + "\"",
           "known: " + known);
    }
    model_type = row->family;
  }

  std::string key(std::string_view rest) const { return name + "." + std::string(rest); }
  std::string place(std::string_view rest) const { return file.place(key(rest)); }
  const GgufValue* find(std::string_view rest) const { return file.find(key(rest)); }

  /// An integer, or the one number that an array of a layer each repeats.
  std::optional<int64_t> integer(std::string_view rest) const {
    const GgufValue* value = find(rest);
    if (value == nullptr) return std::nullopt;
    if (value->kind != GgufKind::array) return value->as_int(place(rest));
    const std::vector<int64_t> items = value->as_ints(place(rest));
    if (items.empty() || std::ranges::adjacent_find(items, std::not_equal_to()) != items.end())
      fail(ErrorKind::config, place(rest), "differs from layer to layer", kCannot);
    return items[0];
  }
  int64_t needed(std::string_view rest) const {
    file.at(key(rest));
    return *integer(rest);
  }
  std::optional<double> number(std::string_view rest) const {
    const GgufValue* value = find(rest);
    if (value == nullptr) return std::nullopt;
    return value->as_double(place(rest));
  }
  std::string text(std::string_view rest) const {
    const GgufValue* value = find(rest);
    return value == nullptr ? "" : std::string(value->as_text(place(rest)));
  }
  bool is_deepseek() const { return name == "deepseek2"; }

  const Gguf& file;
  std::string name;
  std::string model_type;
};

void set_if(json::Value& config, const char* key, std::optional<int64_t> value) {
  if (value) config.set(key, *value);
}

/// Llama 3's frequencies are divided by 1 where the wavelength is short, by the factor where it is
/// long, and by a blend in between; llama.cpp's converter stores the divisors.
std::vector<double> llama3_divisors(double theta, int64_t width, double factor) {
  constexpr double kLow = 1, kHigh = 4, kContext = 8192, kPi = 3.14159265358979323846;
  std::vector<double> divisors;
  for (int64_t i = 0; i < width / 2; ++i) {
    const double exponent = 2 * static_cast<double>(i) / static_cast<double>(width);
    const double wavelength = 2 * kPi * std::pow(theta, exponent);
    const double smooth = (kContext / wavelength - kLow) / (kHigh - kLow);
    divisors.push_back(wavelength < kContext / kHigh  ? 1
                       : wavelength > kContext / kLow ? factor
                                                      : 1 / ((1 - smooth) / factor + smooth));
  }
  return divisors;
}

/// rope_scaling of a file with rope_freqs.weight: the published settings, if they give its numbers.
json::Value llama3_scaling(const Gguf& file, const GgufTensor& tensor, double theta,
                           int64_t width) {
  const std::string where = file.where() + ": rope_freqs.weight";
  std::vector<float> found(static_cast<std::size_t>(tensor.count));
  dequantise(tensor.type, tensor.data, tensor.count, found.data());
  const double factor = found.back();
  // The width stands in the file alone: compared before anything is made of that size.
  bool same = tensor.count == width / 2;
  if (same) {
    const std::vector<double> wanted = llama3_divisors(theta, width, factor);
    for (std::size_t i = 0; same && i < found.size(); ++i)
      same = std::abs(found[i] - wanted[i]) <= 1e-4 * wanted[i];
  }
  if (!same) fail(ErrorKind::config, where, "are not Llama 3's frequencies", kCannot);
  return json::Object{{"rope_type", "llama3"},
                      {"factor", factor},
                      {"low_freq_factor", 1.0},
                      {"high_freq_factor", 4.0},
                      {"original_max_position_embeddings", 8192}};
}

void set_rope(const Metadata& from, int64_t width, json::Value& config) {
  const double theta = from.number("rope.freq_base").value_or(10000);
  config.set("rope_theta", theta);
  if (const auto rotated = from.integer("rope.dimension_count"); rotated && *rotated != width)
    fail(ErrorKind::config, from.place("rope.dimension_count"),
         std::to_string(*rotated) + " of a head's " + std::to_string(width) +
             " dimensions are rotated; only all is supported",
         kCannot);
  if (const GgufTensor* divisors = from.file.tensor("rope_freqs.weight"))
    config.set("rope_scaling", llama3_scaling(from.file, *divisors, theta, width));
  const std::string type = from.text("rope.scaling.type");
  if (type.empty() || type == "none") return;
  if (type != "yarn")
    fail(ErrorKind::config, from.place("rope.scaling.type"),
         "\"" + clip(type, 40) + "\" is not supported", "known: none, yarn");
  json::Value scaling = json::Object{{"rope_type", "yarn"}};
  if (const auto value = from.number("rope.scaling.factor")) scaling.set("factor", *value);
  set_if(scaling, "original_max_position_embeddings",
         from.integer("rope.scaling.original_context_length"));
  if (const auto value = from.number("rope.scaling.yarn_beta_fast"))
    scaling.set("beta_fast", *value);
  if (const auto value = from.number("rope.scaling.yarn_beta_slow"))
    scaling.set("beta_slow", *value);
  // A tenth of mscale_all_dim. The published models have the same mscale, which is not stored.
  if (const auto value = from.number("rope.scaling.yarn_log_multiplier")) {
    const double mscale = std::round(1e7 * *value) / 1e6;
    scaling.set("mscale", mscale);
    scaling.set("mscale_all_dim", mscale);
  }
  config.set("rope_scaling", scaling);
}

void set_experts(const Metadata& from, json::Value& config) {
  set_if(config, from.is_deepseek() ? "n_routed_experts" : "num_experts",
         from.needed("expert_count"));
  config.set("num_experts_per_tok", from.needed("expert_used_count"));
  config.set("moe_intermediate_size", from.needed("expert_feed_forward_length"));
  const GgufValue* divided = from.find("expert_weights_norm");
  // Qwen's files do not say: llama.cpp divides by the sum.
  config.set("norm_topk_prob", divided == nullptr
                                   ? !from.is_deepseek()
                                   : divided->as_bool(from.place("expert_weights_norm")));
}

/// Returns the width of a head's rotated part. In files from 2025-04 on, key_length is that of
/// the absorbed form, and key_length_mla the one of config.json.
int64_t set_latent_attention(const Metadata& from, json::Value& config) {
  const int64_t rotated = from.needed("rope.dimension_count");
  const int64_t key = from.integer("attention.key_length_mla")
                          .value_or(from.integer("attention.key_length").value_or(0));
  const int64_t value = from.integer("attention.value_length_mla")
                            .value_or(from.integer("attention.value_length").value_or(0));
  const std::optional<int64_t> rank = from.integer("attention.q_lora_rank");
  config.set("q_lora_rank", rank && *rank > 0 ? json::Value(*rank) : json::Value(nullptr));
  config.set("kv_lora_rank", from.needed("attention.kv_lora_rank"));
  config.set("qk_rope_head_dim", rotated);
  config.set("qk_nope_head_dim", key - rotated);
  config.set("v_head_dim", value);
  return rotated;
}

/// Routing by softmax is V2's, by sigmoid V3's; files before 2025 have V2 and no key.
void set_deepseek_routing(const Metadata& from, json::Value& config) {
  constexpr int64_t kSoftmax = 1, kSigmoid = 2;
  const int64_t gating = from.integer("expert_gating_func").value_or(kSoftmax);
  if (gating != kSoftmax && gating != kSigmoid)
    fail(ErrorKind::config, from.place("expert_gating_func"),
         std::to_string(gating) + " is not supported", "known: 1 (softmax), 2 (sigmoid)");
  const int64_t groups = from.integer("expert_group_count").value_or(1);
  config.set("model_type", gating == kSoftmax ? "deepseek_v2" : "deepseek_v3");
  config.set("n_group", std::max<int64_t>(groups, 1));
  config.set("topk_group",
             std::max<int64_t>(from.integer("expert_group_used_count").value_or(1), 1));
  config.set("topk_method", gating == kSigmoid ? "noaux_tc"
                            : groups > 1       ? "group_limited_greedy"
                                               : "greedy");
  config.set("routed_scaling_factor", from.number("expert_weights_scale").value_or(1));
  config.set("n_shared_experts", from.integer("expert_shared_count").value_or(0));
  config.set("first_k_dense_replace", from.integer("leading_dense_block_count").value_or(0));
}

void refuse_parts(const Gguf& file) {
  const GgufValue* count = file.find("split.count");
  if (count == nullptr || count->as_int(file.place("split.count")) <= 1) return;
  fail(ErrorKind::config, file.where(), "is one of " + count->shown() + " parts",
       "put them together with llama.cpp's llama-gguf-split --merge");
}

const GgufTensor& embedding_of(const Gguf& file) {
  const GgufTensor* embedding = file.tensor("token_embd.weight");
  if (embedding == nullptr || embedding->shape.size() != 2)
    fail(ErrorKind::data, file.where(), "has no matrix token_embd.weight", kCannot);
  return *embedding;
}

}  // namespace

json::Value gguf_config(const Gguf& file) {
  const Metadata from(file);
  refuse_parts(file);
  json::Value config;
  config.set("model_type", from.model_type);
  config.set("vocab_size", embedding_of(file).shape[0]);
  config.set("hidden_size", from.needed("embedding_length"));
  config.set("intermediate_size", from.needed("feed_forward_length"));
  config.set("num_hidden_layers", from.needed("block_count"));
  const int64_t heads = from.needed("attention.head_count");
  config.set("num_attention_heads", heads);
  set_if(config, "max_position_embeddings", from.integer("context_length"));
  if (const auto epsilon = from.number("attention.layer_norm_rms_epsilon"))
    config.set("rms_norm_eps", *epsilon);
  config.set("tie_word_embeddings", file.tensor("output.weight") == nullptr);
  // Families that have no such setting do not read it.
  const auto has = [&](std::string_view tensor) { return file.tensor(tensor) != nullptr; };
  config.set("attention_bias", has("blk.0.attn_q.bias") || has("blk.0.attn_kv_a_mqa.bias"));
  config.set("mlp_bias", has("blk.0.ffn_gate.bias") || has("blk.0.ffn_gate_shexp.bias"));
  const bool experts = from.integer("expert_count").value_or(0) > 0;
  if (experts && from.name == "llama")
    fail(ErrorKind::config, from.place("expert_count"), "experts of Mixtral are not supported",
         kCannot);
  if (experts) set_experts(from, config);
  if (from.is_deepseek()) {
    set_deepseek_routing(from, config);
    set_rope(from, set_latent_attention(from, config), config);
    return config;
  }
  config.set("num_key_value_heads", from.integer("attention.head_count_kv").value_or(heads));
  const int64_t width = from.integer("attention.key_length")
                            .value_or(heads > 0 ? from.needed("embedding_length") / heads : 0);
  config.set("head_dim", width);
  set_rope(from, width, config);
  return config;
}

}  // namespace cupel::llm
