#include "train/classify.h"

#include "base/error.h"
#include "data/gguf.h"

namespace cupel::train {
namespace {

/// One sentence a setting that differs from what it is without a recipe.
template <class C, class Skip>
void refuse_given(const C& settings, const std::string& prefix, const Skip& has_meaning,
                  std::string_view task, std::vector<std::string>& problems) {
  static const C plain;
  for_each_field<C>([&](const auto& field) {
    using T = std::decay_t<decltype(settings.*field.member)>;
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, std::string> ||
                  std::is_same_v<T, Path> || std::is_same_v<T, std::vector<std::string>> ||
                  std::is_same_v<T, std::map<std::string, std::string>>) {
      if (has_meaning(field.name) || settings.*field.member == plain.*field.member) return;
      problems.push_back(prefix + std::string(field.name) +
                         ": no setting of task: " + std::string(task) + "; leave it out");
    }
  });
}

std::string name_of_set(std::size_t index) { return "datasets[" + std::to_string(index) + "]"; }

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  for (const std::string_view each : names) {
    if (each == name) return true;
  }
  return false;
}

void check_model(const Config& config, std::vector<std::string>& problems) {
  if (config.model && config.model->family != "bert")
    problems.push_back("model.family: task: classify trains bert, not " + config.model->family);
  if (config.tokenizer.vocab_size) {
    problems.push_back(
        "tokenizer.vocab_size: task: classify trains no tokenizer; give the path of a "
        "tokenizer.json");
  } else if (config.model && config.tokenizer.path.empty()) {
    problems.push_back("tokenizer: a new classifier needs one; give the path of a tokenizer.json");
  }
  if (is_gguf(config.base_model.text))
    problems.push_back("base_model: task: classify reads a Hugging Face folder, no .gguf file");
}

}  // namespace

std::vector<std::string> problems_of_classify(const Config& config) {
  std::vector<std::string> problems;
  const auto has_meaning = [](std::string_view name) {
    return !is_one_of(name, {"sample_packing", "train_on_inputs", "chat_template",
                             "chat_template_jinja", "mtp_loss_weight", "router_bias_update_rate",
                             "adapter", "lora_r", "lora_dropout", "lora_use_rslora", "tf32"});
  };
  refuse_given(config, "", has_meaning, "classify", problems);
  if (!config.samples.prompts.empty())
    problems.push_back("samples: no setting of task: classify; leave it out");
  if (config.excess_length_strategy == ExcessLength::split)
    problems.push_back(
        "excess_length_strategy: a label is of the whole row; choose drop, truncate or raise");
  for (std::size_t i = 0; i < config.datasets.size(); ++i) {
    const auto in_a_set = [](std::string_view name) {
      return is_one_of(name, {"path", "text_field", "label_field", "split", "columns", "weight"});
    };
    refuse_given(config.datasets[i], name_of_set(i) + ".", in_a_set, "classify", problems);
  }
  check_model(config, problems);
  return problems;
}

std::vector<std::string> problems_of_causal_lm(const Config& config) {
  std::vector<std::string> problems;
  if (config.model && config.model->family == "bert")
    problems.push_back("model.family: bert is trained under task: classify");
  for (std::size_t i = 0; i < config.datasets.size(); ++i) {
    const auto in_a_set = [](std::string_view name) { return name != "label_field"; };
    refuse_given(config.datasets[i], name_of_set(i) + ".", in_a_set, "causal_lm", problems);
  }
  return problems;
}

nn::ClassifierConfig resolve_classifier(const Config& config, int64_t vocab_size,
                                        std::vector<std::string> labels) {
  nn::ClassifierConfig model;
  if (config.base_model.empty()) {
    const llm::ModelConfig& given = *config.model;
    model.encoder = {.vocab_size = given.vocab_size > 0 ? given.vocab_size : vocab_size,
                     .hidden_size = given.hidden_size,
                     .num_hidden_layers = given.num_hidden_layers,
                     .num_attention_heads = given.num_attention_heads,
                     .intermediate_size = given.intermediate_size,
                     .max_position_embeddings = given.max_position_embeddings};
    model.initializer_range = given.initializer_range;
  } else {
    model = nn::read_classifier_config(config.base_model.text);
  }
  model.labels = std::move(labels);
  require_room(config, model.encoder.vocab_size, vocab_size, model.encoder.max_position_embeddings);
  return model;
}

}  // namespace cupel::train
