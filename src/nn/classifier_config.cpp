#include "nn/classifier_config.h"

#include <algorithm>
#include <charconv>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"
#include "data/safetensors.h"

namespace cupel::nn {
namespace {

constexpr int64_t kMostBytes = 4 << 20;  // a name a class
constexpr std::string_view kArchitecture = "BertForSequenceClassification";

[[noreturn]] void fail_labels(std::string_view where, const std::string& what) {
  fail(ErrorKind::data, std::string(where) + ": id2label", what,
       "it must name every class from 0 on, each differently");
}

/// {"0": "good", "1": "bad"}
std::vector<std::string> labels_of(const json::Value& root, std::string_view where) {
  const json::Value* given = root.find("id2label");
  if (given == nullptr || given->is_null()) return {};
  const std::string here = std::string(where) + ": id2label";
  const json::Object& members = given->as_object(here);
  std::vector<std::string> labels(members.size());
  std::vector<bool> taken(members.size(), false);
  for (const auto& [key, name] : members) {
    std::size_t id = members.size();
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id >= members.size() || taken[id])
      fail_labels(where,
                  "\"" + clip(key, 40) + "\" is no class of " + std::to_string(members.size()));
    taken[id] = true;
    labels[id] = name.as_string(here);
  }
  std::vector<std::string> sorted = labels;
  std::ranges::sort(sorted);
  const auto twice = std::ranges::adjacent_find(sorted);
  if (twice != sorted.end())
    fail_labels(where, "two classes are called \"" + clip(*twice, 80) + "\"");
  return labels;
}

void add_linear(std::vector<ClassifierTensor>& list, const std::string& name, int64_t out,
                int64_t in) {
  list.push_back({name + ".weight", {out, in}});
  list.push_back({name + ".bias", {out}});
}

void add_norm(std::vector<ClassifierTensor>& list, const std::string& name, int64_t width) {
  list.push_back({name + ".weight", {width}});
  list.push_back({name + ".bias", {width}});
}

}  // namespace

ClassifierConfig parse_classifier_config(std::string_view text, std::string_view where) {
  ClassifierConfig config;
  config.encoder = parse_encoder_config(text, where);
  const json::Value root = json::parse(text, where);
  config.labels = labels_of(root, where);
  const json::Value* pad = root.find("pad_token_id");
  if (pad != nullptr && pad->is_int()) config.pad_token_id = pad->as_int(where);
  return config;
}

ClassifierConfig read_classifier_config(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "config.json";
  if (!std::filesystem::exists(file)) {
    fail(ErrorKind::config, folder.string(), "folder has no config.json",
         "name the folder of a BERT model");
  }
  return parse_classifier_config(read_file(file, kMostBytes), file.string());
}

ClassifierConfig read_trained_classifier_config(const std::filesystem::path& folder) {
  ClassifierConfig config = read_classifier_config(folder);
  if (config.labels.empty()) {
    fail(ErrorKind::config, folder.string(), "config.json names no classes",
         "name the folder of a classifier, such as train leaves under task: classify");
  }
  return config;
}

std::optional<std::vector<std::string>> head_labels(const std::filesystem::path& folder) {
  const ClassifierConfig config = read_classifier_config(folder);
  const Safetensors file = Safetensors::open(folder);
  const TensorEntry* weight = file.find("classifier.weight");
  if (weight == nullptr || weight->shape.size() != 2) return std::nullopt;
  if (weight->shape[0] != static_cast<int64_t>(config.labels.size())) return std::nullopt;
  return config.labels;
}

bool is_classifier(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "config.json";
  if (!std::filesystem::exists(file)) return false;
  const json::Value root = json::parse(read_file(file, kMostBytes), file.string());
  const json::Value* given = root.find("architectures");
  if (given == nullptr || !given->is_array()) return false;
  return std::ranges::any_of(given->as_array("architectures"), [](const json::Value& name) {
    return name == json::Value(kArchitecture);
  });
}

json::Value to_hf_json(const ClassifierConfig& config, double dropout) {
  const EncoderConfig& e = config.encoder;
  json::Object id2label, label2id;
  for (std::size_t i = 0; i < config.labels.size(); ++i) {
    id2label.emplace_back(std::to_string(i), config.labels[i]);
    label2id.emplace_back(config.labels[i], static_cast<int64_t>(i));
  }
  return json::Object{{"architectures", json::Array{kArchitecture}},
                      {"model_type", "bert"},
                      {"vocab_size", e.vocab_size},
                      {"hidden_size", e.hidden_size},
                      {"num_hidden_layers", e.num_hidden_layers},
                      {"num_attention_heads", e.num_attention_heads},
                      {"intermediate_size", e.intermediate_size},
                      {"max_position_embeddings", e.max_position_embeddings},
                      {"type_vocab_size", e.type_vocab_size},
                      {"layer_norm_eps", e.layer_norm_eps},
                      {"hidden_act", "gelu"},
                      {"position_embedding_type", "absolute"},
                      {"initializer_range", config.initializer_range},
                      {"hidden_dropout_prob", dropout},
                      {"attention_probs_dropout_prob", 0.0},
                      {"classifier_dropout", dropout},
                      {"pad_token_id", config.pad_token_id},
                      {"problem_type", "single_label_classification"},
                      {"id2label", std::move(id2label)},
                      {"label2id", std::move(label2id)},
                      {"dtype", "float32"}};
}

int64_t ClassifierTensor::size() const {
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  return count;
}

std::vector<ClassifierTensor> classifier_tensors(const ClassifierConfig& config) {
  const EncoderConfig& e = config.encoder;
  const int64_t width = e.hidden_size;
  const std::string first = "bert.embeddings.";
  std::vector<ClassifierTensor> list{
      {first + "word_embeddings.weight", {e.vocab_size, width}},
      {first + "position_embeddings.weight", {e.max_position_embeddings, width}},
      {first + "token_type_embeddings.weight", {e.type_vocab_size, width}}};
  add_norm(list, first + "LayerNorm", width);
  for (int64_t i = 0; i < e.num_hidden_layers; ++i) {
    const std::string layer = "bert.encoder.layer." + std::to_string(i) + ".";
    for (const char* part : {"query", "key", "value"})
      add_linear(list, layer + "attention.self." + part, width, width);
    add_linear(list, layer + "attention.output.dense", width, width);
    add_norm(list, layer + "attention.output.LayerNorm", width);
    add_linear(list, layer + "intermediate.dense", e.intermediate_size, width);
    add_linear(list, layer + "output.dense", width, e.intermediate_size);
    add_norm(list, layer + "output.LayerNorm", width);
  }
  add_linear(list, "bert.pooler.dense", width, width);
  add_linear(list, "classifier", static_cast<int64_t>(config.labels.size()), width);
  return list;
}

int64_t parameter_count(const ClassifierConfig& config) {
  int64_t count = 0;
  for (const ClassifierTensor& tensor : classifier_tensors(config)) count += tensor.size();
  return count;
}

}  // namespace cupel::nn
