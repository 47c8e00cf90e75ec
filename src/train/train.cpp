#include "train/train.h"

#include <algorithm>
#include <sstream>

#include "base/text.h"
#include "data/adapter_folder.h"
#include "train/classify.h"

namespace cupel::train {
namespace {

constexpr std::size_t kShownCharacters = 300;

/// On one line.
std::string shown(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos;)
    text.replace(at, 1, "⏎");
  return clip(text, kShownCharacters);
}

void add_adapter_problems(const Config& config, std::vector<std::string>& problems) {
  if (config.adapter == Adapter::none) return;
  if (config.base_model.empty())
    problems.push_back("adapter: lora adapts a trained model; give base_model, not model");
  if (is_adapter(config.base_model.text)) {
    problems.push_back(
        "base_model: is an adapter itself; merge it by cupel export, or give its own base model");
  }
  if (config.lora_target_modules.empty())
    problems.push_back("lora_target_modules: empty; name a layer, or write all-linear");
}

}  // namespace

std::vector<std::string> Config::problems() const {
  std::vector<std::string> problems =
      task == Task::classify ? problems_of_classify(*this) : problems_of_causal_lm(*this);
  if (model && !base_model.empty())
    problems.push_back("give model (a new one) or base_model (one to go on from), not both");
  if (!model && base_model.empty()) {
    problems.push_back(task == Task::classify
                           ? "give base_model: <folder of a BERT model> or model: {family: bert, …}"
                           : "give model: {family: deepseek_v3, …} or base_model: <folder>");
  }
  if (!tokenizer.path.empty() && tokenizer.vocab_size) {
    problems.push_back("tokenizer: give a path or a vocab_size, not both");
  }
  if (!base_model.empty() && tokenizer.vocab_size) {
    problems.push_back("tokenizer.vocab_size: base_model has a tokenizer already; leave it out");
  }
  if (datasets.empty()) problems.push_back("datasets: at least one is needed");
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    const std::string name = "datasets[" + std::to_string(i) + "]";
    const bool generated = is_generated(datasets[i].type);
    if (!generated && datasets[i].path.empty())
      problems.push_back(name + ".path: missing; name a file");
    if (is_chat(datasets[i].type) && datasets[i].roles_to_train.empty() && !train_on_inputs)
      problems.push_back(name + ".roles_to_train: empty; name at least one role");
    if (generated && !datasets[i].path.empty())
      problems.push_back(name + ".path: " + std::string(name_of(datasets[i].type)) +
                         " is generated, it has none; leave it out");
  }
  if (!chat_template.empty() && !chat_template_jinja.empty())
    problems.push_back(
        "give chat_template (one of ours) or chat_template_jinja (a file), not both");
  if (nproc > 1 && grad_accum_dtype == nn::GradientDtype::bf16)
    problems.push_back("grad_accum_dtype: bf16 is for one process; several sum gradients in fp32");
  add_adapter_problems(*this, problems);
  const auto left_out = [](const DatasetConfig& set) { return set.weight == 0; };
  if (!datasets.empty() && std::ranges::all_of(datasets, left_out))
    problems.push_back("datasets: every weight is 0; give one that is above");
  if (model && sequence_len > model->max_position_embeddings) {
    problems.push_back("sequence_len is longer than model.max_position_embeddings");
  }
  if (loss_scale && loss_scale->initial < loss_scale->min_scale) {
    problems.push_back("loss_scale.initial is below loss_scale.min_scale");
  }
  if (loss_scale && loss_scale->max_scale && *loss_scale->max_scale < loss_scale->initial) {
    problems.push_back("loss_scale.max_scale is below loss_scale.initial");
  }
  return problems;
}

llm::AdapterConfig Config::adapter_config() const {
  llm::AdapterConfig config;
  config.rank = lora_r;
  config.alpha = lora_alpha.value_or(2 * static_cast<double>(lora_r));
  config.dropout = lora_dropout;
  config.rank_stabilised = lora_use_rslora;
  config.targets.clear();
  for (const Word& word : lora_target_modules) {
    std::istringstream names(word.text);  // LLaMA-Factory writes them as one text, with commas
    for (std::string name; std::getline(names, name, ',');)
      config.targets.push_back(name == "all" ? std::string(llm::kAllLinear) : name);
  }
  return config;
}

std::string Report::details() const {
  std::string out;
  for (const Sample& sample : samples) {
    out += "  sample  " + shown(sample.prompt) + "\n  before  " + shown(sample.before) +
           "\n  after   " + shown(sample.after) + "\n";
  }
  return out;
}

}  // namespace cupel::train
