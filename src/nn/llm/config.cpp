#include "nn/llm/config.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/text.h"
#include "nn/llm/families.h"

namespace cupel::llm {
namespace {

constexpr double kMostParameters = 1e15;

/// A member's value into a field, its range checked; `key` is the culprit's name.
template <class C, class T>
void read_field(const json::Value& value, const Field<C, T>& field, const std::string& key,
                T& out) {
  if constexpr (is_optional<T>) {
    out.reset();
    if (value.is_null()) return;
    typename T::value_type inner{};
    read_field(
        value,
        Field<C, typename T::value_type>(field.name, nullptr, field.help, field.low, field.high),
        key, inner);
    out = inner;
  } else if constexpr (std::is_same_v<T, bool>) {
    out = value.as_bool(key);
  } else if constexpr (std::is_same_v<T, std::string>) {
    out = value.as_string(key);
  } else if constexpr (std::is_arithmetic_v<T>) {
    if constexpr (std::is_same_v<T, int64_t>) {
      out = value.as_int(key);
    } else {
      out = value.as_double(key);
    }
    const auto number = static_cast<double>(out);
    if (!(number >= field.low && number <= field.high)) {
      std::ostringstream text;
      text << number << " is outside " << field.low << " … " << field.high;
      fail(ErrorKind::config, key, text.str(), "this is no model that can be loaded");
    }
  }
}

/// Every field of C that `object` has under its name or an alias.
template <Config C>
void read_fields(const json::Value& object, const std::string& where, C& config) {
  for_each_field<C>([&](const auto& field) {
    if constexpr (!std::is_same_v<std::decay_t<decltype(config.*field.member)>,
                                  std::optional<RopeScaling>>) {
      const json::Value* value = object.find(field.name);
      for (const std::string_view alias : field.aliases) {
        if (value == nullptr && !alias.empty()) value = object.find(alias);
      }
      if (value != nullptr && !(value->is_null() && field.name != "q_lora_rank"))
        read_field(*value, field, where + ": " + std::string(field.name), config.*field.member);
    }
  });
}

/// The member if it is there and not null.
const json::Value* given(const json::Value& object, std::string_view key) {
  const json::Value* value = object.find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

/// Rotary position over a part of the head is not built.
void refuse_partial_rotary(const json::Value& object, const std::string& where) {
  const json::Value* share = given(object, "partial_rotary_factor");
  if (share != nullptr && share->as_double(where + ": partial_rotary_factor") != 1)
    fail(ErrorKind::config, where,
         "partial_rotary_factor " + json::dump(*share) + " is not supported", "only 1 is");
}

/// Keys that a rope_scaling of this type has beside those of every type.
std::vector<std::string_view> rope_keys(std::string_view type) {
  if (type == "yarn")
    return {"factor",           "original_max_position_embeddings",
            "beta_fast",        "beta_slow",
            "mscale",           "mscale_all_dim",
            "attention_factor", "truncate"};
  if (type == "llama3")
    return {"factor", "original_max_position_embeddings", "low_freq_factor", "high_freq_factor"};
  return {};
}

/// A key that is overlooked would turn heads by other angles than the model was trained with.
void check_rope_keys(const json::Value& rope, const std::string& type, const std::string& where) {
  const std::vector<std::string_view> known = rope_keys(type);
  const std::string of_type =
      type.empty() ? "a map without rope_type" : "rope_type \"" + type + "\"";
  for (const auto& [key, value] : rope.as_object(where)) {
    const bool everywhere = key == "type" || key == "rope_type" || key == "rope_theta" ||
                            key == "partial_rotary_factor" || value.is_null();
    if (everywhere || std::find(known.begin(), known.end(), key) != known.end()) continue;
    fail(ErrorKind::config, where, "key \"" + clip(key, 80) + "\" is not known to " + of_type,
         "this model cannot be loaded as it was trained");
  }
  for (const std::string_view key : {"factor", "low_freq_factor", "high_freq_factor"}) {
    const bool optional = key == "factor" && type == "yarn" && rope.find(key) != nullptr;
    if (optional || std::find(known.begin(), known.end(), key) == known.end()) continue;
    if (given(rope, key) == nullptr)
      fail(ErrorKind::config, where, of_type + " needs the key \"" + std::string(key) + "\"",
           "transformers asks for it too");
  }
}

void read_rope(const json::Value& object, const std::string& where, ModelConfig& config) {
  refuse_partial_rotary(object, where);
  const json::Value* rope = given(object, "rope_scaling");
  const std::string key = where + (rope ? ": rope_scaling" : ": rope_parameters");
  if (rope == nullptr) rope = given(object, "rope_parameters");
  if (rope == nullptr) return;
  rope->as_object(key);
  refuse_partial_rotary(*rope, key);
  if (const json::Value* theta = rope->find("rope_theta")) {
    read_fields(json::Object{{"rope_theta", *theta}}, key, config);
  }
  const json::Value* named = given(*rope, "rope_type");
  if (named == nullptr) named = given(*rope, "type");
  const std::string type = named == nullptr ? "" : named->as_string(key);
  if (type.empty() || type == "default") return check_rope_keys(*rope, type, key);
  RopeScaling scaling;
  scaling.original_max_position_embeddings = config.max_position_embeddings;
  read_fields(*rope, key, scaling);
  if (const json::Value* outer = given(object, "original_max_position_embeddings"))
    read_fields(json::Object{{"original_max_position_embeddings", *outer}}, where, scaling);
  if (given(*rope, "factor") == nullptr)
    scaling.factor = static_cast<double>(config.max_position_embeddings) /
                     static_cast<double>(scaling.original_max_position_embeddings);
  scaling.type = type;
  config.rope_scaling = scaling;
  if (!rope_keys(type).empty()) check_rope_keys(*rope, type, key);
}

/// What changes the arithmetic and is not built: refused, so that no wrong logits come out.
void refuse_what_is_missing(const json::Value& object, const std::string& where) {
  const auto refuse = [&](std::string_view key, std::string_view only) {
    const json::Value* value = object.find(key);
    if (value == nullptr || value->is_null()) return;
    const std::string text = value->is_string() ? value->as_string(where) : json::dump(*value);
    if (text != only)
      fail(ErrorKind::config, where, std::string(key) + " " + text + " is not supported",
           "only " + std::string(only) + " is");
  };
  refuse("hidden_act", "silu");
  refuse("scoring_func", "sigmoid");
  refuse("topk_method", "noaux_tc");
  refuse("moe_layer_freq", "1");
  refuse("mlp_bias", "false");
  if (const json::Value* value = object.find("quantization_config"); value && !value->is_null())
    fail(ErrorKind::config, where, "the weights are quantized", "convert them to bf16 first");
}

const Family& family_in(const json::Value& object, const std::string& where) {
  std::string named = "none";
  if (const json::Value* type = object.find("model_type"); type && type->is_string()) {
    named = type->as_string(where);
    if (const Family* family = find_family(named)) return *family;
  }
  if (const json::Value* list = object.find("architectures"); list && list->is_array()) {
    for (const json::Value& name : list->as_array(where)) {
      for (const Family& family : kFamilies) {
        if (name.is_string() && name.as_string(where) == family.architecture) return family;
      }
    }
  }
  fail(ErrorKind::config, where, "unknown model_type \"" + named + "\"",
       "known: " + known_families());
}

/// What transformers' configuration class takes for a key that config.json lacks. LlamaConfig's
/// values are ours; DeepseekV3Config's are those of the 671 B model. One is left out: it counts a
/// prediction layer even where the file, and so the weights, have none.
ModelConfig class_defaults(const Family& family) {
  ModelConfig config;
  config.family = family.name;
  config.rope_interleave = family.interleaved_rotary;
  if (!family.mixture_of_experts) return config;
  config.q_lora_rank = 1536;
  config.kv_lora_rank = 512;
  config.qk_nope_head_dim = 128;
  config.qk_rope_head_dim = 64;
  config.v_head_dim = 128;
  config.n_routed_experts = 256;
  config.n_shared_experts = 1;
  config.num_experts_per_tok = 8;
  config.moe_intermediate_size = 2048;
  config.first_k_dense_replace = 3;
  config.n_group = 8;
  config.topk_group = 4;
  config.routed_scaling_factor = 2.5;
  config.max_position_embeddings = 4096;
  return config;
}

class Problems {
 public:
  void unless(bool fine, std::string text) {
    if (!fine) found.push_back(std::move(text));
  }
  std::vector<std::string> found;
};

void check_experts(const ModelConfig& c, Problems& problems) {
  problems.unless(c.num_experts_per_tok <= c.n_routed_experts,
                  "num_experts_per_tok is more than n_routed_experts; lower it");
  if (c.n_routed_experts % c.n_group != 0) {
    problems.unless(false, "n_group does not divide n_routed_experts");
    return;
  }
  const int64_t group = c.n_routed_experts / c.n_group;
  problems.unless(c.topk_group <= c.n_group, "topk_group is more than n_group; lower it");
  problems.unless(c.n_group == 1 || group >= 2,
                  "a group needs at least two experts; lower n_group");
  problems.unless(c.num_experts_per_tok <= c.topk_group * group,
                  "topk_group leaves fewer experts than num_experts_per_tok; raise topk_group");
}

/// What would divide by zero, or take the logarithm of it, is refused.
void check_rope(const RopeScaling& scaling, double theta, Problems& problems) {
  if (scaling.type == "yarn") {
    problems.unless(theta > 1, "yarn needs a rope_theta above 1");
    problems.unless(scaling.beta_slow > 0 && scaling.beta_fast >= scaling.beta_slow,
                    "rope_scaling needs 0 < beta_slow <= beta_fast");
  } else if (scaling.type == "llama3") {
    problems.unless(scaling.low_freq_factor < scaling.high_freq_factor,
                    "rope_scaling needs low_freq_factor < high_freq_factor");
  } else {
    problems.unless(false,
                    "unknown rope_scaling type \"" + scaling.type + "\"; known: yarn, llama3");
  }
}

json::Value rope_json(const ModelConfig& config) {
  json::Value rope;
  rope.set("rope_theta", config.rope_theta);
  if (!config.rope_scaling) {
    rope.set("rope_type", "default");
    return rope;
  }
  const RopeScaling& scaling = *config.rope_scaling;
  rope.set("rope_type", scaling.type);
  rope.set("factor", scaling.factor);
  rope.set("original_max_position_embeddings", scaling.original_max_position_embeddings);
  if (scaling.type == "llama3") {
    rope.set("low_freq_factor", scaling.low_freq_factor);
    rope.set("high_freq_factor", scaling.high_freq_factor);
    return rope;
  }
  rope.set("beta_fast", scaling.beta_fast);
  rope.set("beta_slow", scaling.beta_slow);
  if (scaling.mscale > 0) rope.set("mscale", scaling.mscale);
  if (scaling.mscale_all_dim > 0) rope.set("mscale_all_dim", scaling.mscale_all_dim);
  if (scaling.attention_factor) rope.set("attention_factor", *scaling.attention_factor);
  if (!scaling.truncate) rope.set("truncate", false);
  return rope;
}

}  // namespace

int64_t ModelConfig::rotary_width() const {
  const Family* row = find_family(family);
  if (row != nullptr && row->latent_attention) return qk_rope_head_dim;
  return head_dim.value_or(hidden_size / num_attention_heads);
}

int64_t ModelConfig::query_width() const {
  const Family* row = find_family(family);
  const bool latent = row != nullptr && row->latent_attention;
  return rotary_width() + (latent ? qk_nope_head_dim : 0);
}

std::vector<std::string> ModelConfig::problems() const {
  Problems problems;
  const Family* row = find_family(family);
  problems.unless(row != nullptr, "unknown family \"" + family + "\"; known: " + known_families());
  if (row == nullptr) return problems.found;
  problems.unless(rotary_width() % 2 == 0, row->latent_attention ? "qk_rope_head_dim must be even"
                                                                 : "head_dim must be even");
  if (!row->latent_attention) {
    problems.unless(head_dim || hidden_size % num_attention_heads == 0,
                    "num_attention_heads does not divide hidden_size; give head_dim");
    problems.unless(num_attention_heads % num_key_value_heads.value_or(num_attention_heads) == 0,
                    "num_key_value_heads does not divide num_attention_heads");
  }
  if (row->mixture_of_experts) check_experts(*this, problems);
  problems.unless(row->mixture_of_experts || num_nextn_predict_layers == 0,
                  "num_nextn_predict_layers needs family deepseek_v3");
  if (rope_scaling) check_rope(*rope_scaling, rope_theta, problems);
  // In doubles, which do not overflow.
  const auto d = [](int64_t value) { return static_cast<double>(value); };
  const double heads = d(num_attention_heads);
  double layer =
      d(hidden_size) * (d(intermediate_size) + heads * d(query_width()) +
                        (d(n_routed_experts) + d(n_shared_experts)) * d(moe_intermediate_size));
  if (row->latent_attention) {
    layer += d(q_lora_rank.value_or(0)) * (d(hidden_size) + heads * d(query_width())) +
             d(kv_lora_rank) * (d(hidden_size) + heads * d(qk_nope_head_dim + v_head_dim)) +
             d(hidden_size) * heads * d(v_head_dim);
  }
  problems.unless(d(num_hidden_layers) * layer + d(vocab_size) * d(hidden_size) < kMostParameters,
                  "the model has more than 1e15 parameters; lower its sizes");
  return problems.found;
}

ModelConfig read_model_config(const std::filesystem::path& file) {
  const std::string where = file.string();
  std::ifstream stream(file, std::ios::binary);
  if (!stream) fail(ErrorKind::config, where, "cannot be opened", "give the folder of a model");
  std::ostringstream text;
  text << stream.rdbuf();
  const json::Value object = json::parse(text.str(), where, {16, std::size_t{1} << 20});
  object.as_object(where);
  const Family& family = family_in(object, where);
  refuse_what_is_missing(object, where);
  for (const std::string_view key : {"vocab_size", "hidden_size", "intermediate_size",
                                     "num_hidden_layers", "num_attention_heads"})
    object.at(key, where);
  ModelConfig config = class_defaults(family);
  read_fields(object, where, config);
  config.family = family.name;
  read_rope(object, where, config);
  for (const std::string& problem : config.problems())
    fail(ErrorKind::config, where, problem, "this is no model that can be loaded");
  return config;
}

json::Value to_hf_json(const ModelConfig& config) {
  const Family* family = find_family(config.family);
  CUPEL_ASSERT(family != nullptr);
  json::Value result;
  result.set("architectures", json::Array{json::Value(family->architecture)});
  for_each_field<ModelConfig>([&](const auto& field) {
    const auto& value = config.*field.member;
    using T = std::decay_t<decltype(value)>;
    if constexpr (std::is_same_v<T, std::optional<int64_t>>) {
      if (value) {
        result.set(std::string(field.name), *value);
      } else if (field.name == "q_lora_rank") {
        result.set("q_lora_rank", nullptr);
      }
    } else if constexpr (!std::is_same_v<T, std::optional<RopeScaling>>) {
      result.set(field.name == "family" ? "model_type" : std::string(field.name), value);
    }
  });
  if (family->latent_attention) result.set("num_key_value_heads", config.num_attention_heads);
  result.set("rope_parameters", rope_json(config));
  result.set("hidden_act", "silu");
  return result;
}

}  // namespace cupel::llm
