#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/text.h"
#include "nn/llm/config.h"
#include "nn/llm/families.h"

namespace cupel::llm {
namespace {

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
  } else if constexpr (is_vector<T>) {
    out.clear();
    for (const json::Value& item : value.as_array(key)) {
      read_field(
          item,
          Field<C, typename T::value_type>(field.name, nullptr, field.help, field.low, field.high),
          key, out.emplace_back());
    }
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

/// Every field of C that `object` has under its name or an alias, and `family`, if there is one,
/// has too: transformers reads no others. Null means nothing where that is a value, else what the
/// key's absence means.
template <Config C>
void read_fields(const json::Value& object, const std::string& where, C& config,
                 const Family* family = nullptr) {
  for_each_field<C>([&](const auto& field) {
    using T = std::decay_t<decltype(config.*field.member)>;
    if constexpr (!std::is_same_v<T, std::optional<RopeScaling>>) {
      if (family != nullptr && tells_families_apart(field.name) && !family->has(field.name)) return;
      const json::Value* value = object.find(field.name);
      for (const std::string_view alias : field.aliases) {
        if (value == nullptr && !alias.empty()) value = object.find(alias);
      }
      if (value != nullptr && (is_optional<T> || !value->is_null()))
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

std::string_view name_of_scores(const Family& family) {
  return family.routing == Routing::sigmoid ? "sigmoid" : "softmax";
}

/// How DeepSeek publishes V3: weights that tensor_source.h reads as the numbers they stand for.
bool is_fp8_in_blocks(const json::Value& stored) {
  const json::Value* method = stored.find("quant_method");
  const json::Value* block = stored.find("weight_block_size");
  return method != nullptr && *method == json::Value("fp8") && block != nullptr &&
         *block == json::Value(json::Array{128, 128});
}

/// What changes the arithmetic and is not built: refused, so that no wrong logits come out.
void refuse_what_is_missing(const json::Value& object, const Family& family,
                            const std::string& where) {
  const auto refuse = [&](std::string_view key, std::string_view only) {
    const json::Value* value = given(object, key);
    if (value == nullptr) return;
    const std::string text = value->is_string() ? value->as_string(where) : json::dump(*value);
    if (text != only)
      fail(ErrorKind::config, where, std::string(key) + " " + clip(text, 80) + " is not supported",
           "only " + std::string(only) + " is");
  };
  refuse("hidden_act", "silu");
  if (family.latent_attention) {
    refuse("scoring_func", name_of_scores(family));
    refuse("moe_layer_freq", "1");
  }
  if (family.routing == Routing::sigmoid) refuse("topk_method", "noaux_tc");
  if (const json::Value* stored = given(object, "quantization_config");
      stored != nullptr && !is_fp8_in_blocks(*stored))
    fail(ErrorKind::config, where, "the weights are quantized",
         "read are fp8 in blocks of 128 x 128 and GGUF files; convert others to bf16 first");
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
  fail(ErrorKind::config, where, "unknown model_type \"" + clip(named, 80) + "\"",
       "known: " + known_families());
}

/// Whether a key is true, or is where the file does not have it.
bool holds(const json::Value& object, const json::Value& defaults, std::string_view key,
           const std::string& where) {
  const json::Value* value = given(object, key);
  if (value == nullptr) value = given(defaults, key);
  return value == nullptr || value->as_bool(where + ": " + std::string(key));
}

/// Limited choice of groups is a method of DeepSeek-V2's, and its other one has none.
void read_choice(const json::Value& object, const std::string& where, ModelConfig& config) {
  const json::Value* method = given(object, "topk_method");
  const std::string name =
      method == nullptr ? "greedy" : method->as_string(where + ": topk_method");
  if (name == "group_limited_greedy") return;
  if (name != "greedy")
    fail(ErrorKind::config, where, "topk_method " + clip(name, 80) + " is not supported",
         "only greedy and group_limited_greedy are");
  config.n_group = config.topk_group = 1;
}

/// transformers 5 writes which layers slide as a list; max_window_layers says the same.
void check_layer_types(const json::Value& object, const std::string& where,
                       const ModelConfig& config) {
  const json::Value* types = given(object, "layer_types");
  if (types == nullptr) return;
  const json::Array& list = types->as_array(where + ": layer_types");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const bool slides = config.window(static_cast<int64_t>(i)).has_value();
    if (list[i].as_string(where + ": layer_types") !=
        (slides ? "sliding_attention" : "full_attention"))
      fail(ErrorKind::config, where,
           "layer_types[" + std::to_string(i) + "] is not what max_window_layers makes it",
           "only full attention followed by sliding attention is supported");
  }
}

/// Every setting of the family, keys that the file lacks as transformers' class has them.
ModelConfig read_settings(const json::Value& object, const Family& family,
                          const std::string& where) {
  const json::Value defaults = json::parse(family.defaults, family.name);
  ModelConfig config;
  read_fields(defaults, where, config, &family);
  for (const std::string_view key : {"vocab_size", "hidden_size", "intermediate_size",
                                     "num_hidden_layers", "num_attention_heads"})
    object.at(key, where);
  constexpr std::string_view kChosen = "num_experts_per_tok";  // one class has no number for it
  if (family.has(kChosen) && defaults.find(kChosen) == nullptr) object.at(kChosen, where);
  read_fields(object, where, config, &family);
  config.family = family.name;
  if (family.routing == Routing::softmax && family.has("n_group"))
    read_choice(object, where, config);
  if (!holds(object, defaults, "use_sliding_window", where)) config.sliding_window.reset();
  if (family.has("max_window_layers")) check_layer_types(object, where, config);
  return config;
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

/// Most families count experts as n_routed_experts, Qwen's as num_experts.
std::string published_name(std::string_view field, const Family& family) {
  if (field == "family") return "model_type";
  if (field == "n_routed_experts" && !family.latent_attention) return "num_experts";
  return std::string(field);
}

/// What readers of DeepSeek's config.json ask for beside the settings.
void set_latent_keys(const ModelConfig& config, const Family& family, json::Value& result) {
  result.set("num_key_value_heads", config.num_attention_heads);
  result.set("scoring_func", std::string(name_of_scores(family)));
  result.set("moe_layer_freq", 1);
  if (family.routing == Routing::sigmoid) {
    result.set("topk_method", "noaux_tc");
  } else {
    result.set("topk_method", config.n_group > 1 ? "group_limited_greedy" : "greedy");
    result.set("norm_topk_prob", false);
  }
}

}  // namespace

ModelConfig read_model_config(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream)
    fail(ErrorKind::config, file.string(), "cannot be opened", "give the folder of a model");
  std::ostringstream text;
  text << stream.rdbuf();
  return parse_model_config(text.str(), file.string());
}

ModelConfig parse_model_config(std::string_view text, const std::string& where) {
  const json::Value object = json::parse(text, where, {16, std::size_t{1} << 20});
  object.as_object(where);
  const Family& family = family_in(object, where);
  refuse_what_is_missing(object, family, where);
  ModelConfig config = read_settings(object, family, where);
  read_rope(object, where, config);
  for (const std::string& problem : config.problems())
    fail(ErrorKind::config, where, problem, "this is no model that can be loaded");
  return config;
}

json::Value to_hf_json(const ModelConfig& model) {
  const Family* family = find_family(model.family);
  CUPEL_ASSERT(family != nullptr);
  ModelConfig config = model;
  // Given whatever they are: what a missing one stands for differs from family to family.
  config.num_key_value_heads = model.num_key_value_heads.value_or(model.num_attention_heads);
  config.head_dim = model.rotary_width();
  json::Value result;
  result.set("architectures", json::Array{json::Value(family->architecture)});
  for_each_field<ModelConfig>([&](const auto& field) {
    const auto& value = config.*field.member;
    using T = std::decay_t<decltype(value)>;
    if (tells_families_apart(field.name) && !family->has(field.name)) return;
    const std::string key = published_name(field.name, *family);
    if constexpr (std::is_same_v<T, std::optional<int64_t>>) {
      if (value) {
        result.set(key, *value);
      } else if (key == "q_lora_rank" || key == "sliding_window") {
        result.set(key, nullptr);  // its absence would mean a number
      }
    } else if constexpr (std::is_same_v<T, std::vector<int64_t>>) {
      result.set(key, json::Array(value.begin(), value.end()));
    } else if constexpr (!std::is_same_v<T, std::optional<RopeScaling>>) {
      result.set(key, value);
    }
  });
  if (json::parse(family->defaults, family->name).find("use_sliding_window") != nullptr)
    result.set("use_sliding_window", config.sliding_window.has_value());
  if (family->latent_attention) set_latent_keys(config, *family, result);
  result.set("rope_parameters", rope_json(config));
  result.set("hidden_act", "silu");
  return result;
}

}  // namespace cupel::llm
