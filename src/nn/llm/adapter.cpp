#include "nn/llm/adapter.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "data/adapter_folder.h"

namespace cupel::llm {
namespace {

constexpr std::string_view kWeight = ".weight";

/// "model.layers.12.…" → 12; nothing for a tensor outside the blocks.
std::optional<int64_t> layer_of(std::string_view name) {
  constexpr std::string_view kPrefix = "model.layers.";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  int64_t layer = 0;
  for (std::size_t i = kPrefix.size(); i < name.size() && name[i] != '.'; ++i)
    layer = 10 * layer + (name[i] - '0');
  return layer;
}

bool is_named(std::string_view layer, std::string_view target) {
  if (target == kAllLinear || layer == target) return true;
  return layer.size() > target.size() && layer.ends_with(target) &&
         layer[layer.size() - target.size() - 1] == '.';
}

std::string last_word(const std::string& name) { return name.substr(name.rfind('.') + 1); }

/// The layers' last words, each once, in the model's order.
std::vector<std::string> last_words(const std::vector<LinearShape>& layers) {
  std::vector<std::string> words;
  for (const LinearShape& layer : layers) {
    const std::string word = last_word(layer.name);
    if (std::ranges::find(words, word) == words.end()) words.push_back(word);
  }
  return words;
}

[[noreturn]] void fail_target(const ModelConfig& model, const std::vector<LinearShape>& all,
                              const std::string& target, const std::string& where) {
  std::string known;
  for (const std::string& word : last_words(all)) known += (known.empty() ? "" : ", ") + word;
  fail(ErrorKind::config, where,
       "\"" + clip(target, 80) + "\" names no linear layer of the blocks of this " + model.family,
       "there are " + known + ", and " + std::string(kAllLinear) +
           " for all; embeddings, head, routers and routed experts take no adapter");
}

/// Values under which a key says nothing: the adapter is a plain one.
bool is_off(const json::Value& value) {
  if (value.is_null()) return true;
  if (value.is_bool()) return !value.as_bool("");
  if (value.is_string()) return value.as_string("") == "none";
  if (value.is_array()) return value.as_array("").empty();
  if (value.is_object()) return value.as_object("").empty();
  return false;
}

/// What PEFT can do besides, and the products here do not.
constexpr std::array<std::string_view, 17> kNotBuilt{"target_parameters",
                                                     "modules_to_save",
                                                     "bias",
                                                     "lora_bias",
                                                     "use_dora",
                                                     "use_qalora",
                                                     "use_bdlora",
                                                     "fan_in_fan_out",
                                                     "alpha_pattern",
                                                     "loftq_config",
                                                     "kasa_config",
                                                     "monteclora_config",
                                                     "velora_config",
                                                     "arrow_config",
                                                     "layer_replication",
                                                     "trainable_token_indices",
                                                     "alora_invocation_tokens"};

/// Ways to begin that leave the base model's own weights alone, besides true and false.
constexpr std::array<std::string_view, 3> kPlainBeginnings{"gaussian", "orthogonal", "eva"};

void require_plain(const json::Value& config, const std::string& where) {
  const json::Value* kind = config.find("peft_type");
  if (kind != nullptr && (!kind->is_string() || kind->as_string(where) != "LORA"))
    fail(ErrorKind::data, where + ": peft_type", "is " + clip(json::dump(*kind), 80),
         "known: \"LORA\"");
  for (const std::string_view key : kNotBuilt) {
    const json::Value* value = config.find(key);
    if (value == nullptr || is_off(*value)) continue;
    fail(ErrorKind::data, where + ": " + std::string(key),
         clip(json::dump(*value), 80) + " is a kind of adapter that is not built",
         "merge it into its base model with PEFT (merge_and_unload), and give that");
  }
  const json::Value* begun = config.find("init_lora_weights");
  if (begun == nullptr || !begun->is_string()) return;
  const std::string& text = begun->as_string(where);
  if (std::ranges::find(kPlainBeginnings, text) != kPlainBeginnings.end()) return;
  fail(ErrorKind::data, where + ": init_lora_weights",
       "\"" + clip(text, 80) + "\" changes the base model's own weights",
       "merge it into its base model with PEFT (merge_and_unload), and give that");
}

json::Value number(double value) {
  const auto whole = static_cast<int64_t>(value);
  return static_cast<double>(whole) == value ? json::Value(whole) : json::Value(value);
}

}  // namespace

double AdapterConfig::scale(int64_t layer_rank) const {
  const auto r = static_cast<double>(layer_rank);
  return alpha / (rank_stabilised ? std::sqrt(r) : r);
}

std::vector<LinearShape> adaptable_layers(const ModelConfig& model) {
  std::vector<LinearShape> layers;
  for (const ParameterShape& parameter : parameter_shapes(model)) {
    const auto layer = layer_of(parameter.name);
    const bool linear = parameter.shape.size() == 2 && parameter.name.ends_with(kWeight);
    if (!linear || !layer || *layer >= model.num_hidden_layers) continue;
    if (parameter.name.ends_with(".mlp.gate.weight")) continue;  // the router
    layers.push_back({parameter.name.substr(0, parameter.name.size() - kWeight.size()),
                      parameter.shape[0], parameter.shape[1]});
  }
  return layers;
}

std::vector<LinearShape> adapted_layers(const ModelConfig& model,
                                        const std::vector<std::string>& targets,
                                        const std::string& where) {
  const std::vector<LinearShape> all = adaptable_layers(model);
  std::vector<bool> chosen(all.size());
  for (const std::string& target : targets) {
    bool found = false;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!is_named(all[i].name, target)) continue;
      chosen[i] = found = true;
    }
    if (!found) fail_target(model, all, target, where);
  }
  std::vector<LinearShape> layers;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (chosen[i]) layers.push_back(all[i]);
  }
  return layers;
}

std::vector<ParameterShape> adapter_shapes(const std::vector<LinearShape>& layers, int64_t rank) {
  std::vector<ParameterShape> shapes;
  for (const LinearShape& layer : layers) {
    shapes.push_back({layer.name + ".lora_A.weight", {rank, layer.in}});
    shapes.push_back({layer.name + ".lora_B.weight", {layer.out, rank}});
  }
  return shapes;
}

AdapterConfig read_adapter_config(const std::filesystem::path& adapter) {
  const std::string where = (adapter / kAdapterConfig).string();
  const json::Value config = cupel::adapter_config(adapter);
  require_plain(config, where);
  AdapterConfig read;
  read.rank = config.at("r", where).as_int(where + ": r");
  if (read.rank < 1 || read.rank > kMostRank)
    fail(ErrorKind::data, where + ": r", std::to_string(read.rank) + " is no rank",
         "a rank is 1 … " + std::to_string(kMostRank));
  read.alpha = config.at("lora_alpha", where).as_double(where + ": lora_alpha");
  if (const json::Value* dropout = config.find("lora_dropout"); dropout != nullptr)
    read.dropout = dropout->as_double(where + ": lora_dropout");
  if (const json::Value* stabilised = config.find("use_rslora"); stabilised != nullptr)
    read.rank_stabilised = stabilised->as_bool(where + ": use_rslora");
  return read;
}

json::Value to_peft_json(const AdapterConfig& config, const std::vector<LinearShape>& layers,
                         const std::string& base) {
  // By the last words where they name no further layer, and else one by one.
  const bool all = std::ranges::find(config.targets, kAllLinear) != config.targets.end();
  json::Array targets;
  if (all) {
    for (const std::string& word : last_words(layers)) targets.emplace_back(word);
  } else {
    for (const std::string& target : config.targets) targets.emplace_back(target);
  }
  return json::Object{{"alpha_pattern", json::Object{}},
                      {"base_model_name_or_path", base},
                      {"bias", "none"},
                      {"fan_in_fan_out", false},
                      {"inference_mode", true},
                      {"init_lora_weights", true},
                      {"lora_alpha", number(config.alpha)},
                      {"lora_dropout", config.dropout},
                      {"modules_to_save", nullptr},
                      {"peft_type", "LORA"},
                      {"r", config.rank},
                      {"rank_pattern", json::Object{}},
                      {"target_modules", std::move(targets)},
                      {"task_type", "CAUSAL_LM"},
                      {"use_dora", false},
                      {"use_rslora", config.rank_stabilised}};
}

}  // namespace cupel::llm
