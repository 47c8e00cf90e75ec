#include "train/train.h"

namespace cupel::train {

std::vector<std::string> Config::problems() const {
  std::vector<std::string> problems;
  if (model && !base_model.empty())
    problems.push_back("give model (a new one) or base_model (one to go on from), not both");
  if (!model && base_model.empty())
    problems.push_back("give model: {family: deepseek_v3, …} or base_model: <folder>");
  if (!tokenizer.path.empty() && tokenizer.vocab_size) {
    problems.push_back("tokenizer: give a path or a vocab_size, not both");
  }
  if (!base_model.empty() && tokenizer.vocab_size) {
    problems.push_back("tokenizer.vocab_size: base_model has a tokenizer already");
  }
  if (datasets.empty()) problems.push_back("datasets: at least one is needed");
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    const std::string name = "datasets[" + std::to_string(i) + "]";
    const bool generated = datasets[i].type == DatasetType::arithmetic;
    if (!generated && datasets[i].path.empty()) problems.push_back(name + ".path: missing");
    if (generated && !datasets[i].path.empty())
      problems.push_back(name + ".path: arithmetic is generated, it has none");
  }
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

}  // namespace cupel::train
