#include "nn/classifier_files_nn.h"

#include <string_view>
#include <utility>

#include "base/atomic_file.h"
#include "base/error.h"
#include "data/safetensors.h"
#include "nn/encoder_weights.h"

namespace cupel::nn {

std::vector<std::string> load_classifier_weights(const std::filesystem::path& folder,
                                                 BertClassifier& classifier, bool with_head) {
  constexpr std::string_view kBert = "bert.";
  const std::string where = folder.string();
  const Safetensors file = Safetensors::open(folder);
  const EncoderReader reader(file, {}, where);
  const bool no_pooler = !reader.has("pooler.dense.weight");
  std::vector<std::pair<at::Tensor, std::vector<float>>> parts;
  for (const auto& item : classifier.named_parameters()) {
    if (!with_head && item.key().starts_with("classifier.")) continue;
    if (no_pooler && item.key().starts_with("bert.pooler.")) continue;
    std::string name = item.key();
    if (name.starts_with(kBert)) name.erase(0, kBert.size());
    parts.emplace_back(item.value(), reader.numbers(name, item.value().sizes().vec()));
  }
  reader.refuse_others();
  at::NoGradGuard no_grad;
  for (auto& [parameter, values] : parts)
    parameter.copy_(at::from_blob(values.data(), parameter.sizes(), at::kFloat));
  std::vector<std::string> lacking;
  if (no_pooler) lacking.emplace_back("pooler");
  if (!with_head) lacking.emplace_back("head");
  return lacking;
}

std::shared_ptr<BertClassifier> load_classifier(const std::filesystem::path& folder) {
  const ClassifierConfig config = read_trained_classifier_config(folder);
  auto classifier = std::make_shared<BertClassifier>(config);
  const std::vector<std::string> lacking = load_classifier_weights(folder, *classifier, true);
  if (!lacking.empty()) {
    fail(ErrorKind::data, folder.string(), "tensor bert.pooler.dense.weight is missing",
         "this is no classifier, or its file is damaged");
  }
  return classifier;
}

void save_classifier(const std::filesystem::path& folder, const BertClassifier& classifier,
                     double dropout) {
  std::vector<TensorEntry> entries;
  for (const auto& item : classifier.named_parameters()) {
    const at::Tensor& tensor = item.value();
    CUPEL_ASSERT(tensor.is_contiguous() && tensor.scalar_type() == at::kFloat);
    entries.push_back({item.key(), Dtype::f32, tensor.sizes().vec(),
                       static_cast<const std::byte*>(tensor.const_data_ptr()),
                       static_cast<int64_t>(tensor.nbytes())});
  }
  write_safetensors(folder / "model.safetensors", std::move(entries), {{"format", "pt"}});
  write_file_atomically(folder / "config.json",
                        json::dump(to_hf_json(classifier.config(), dropout), 2) + "\n");
}

}  // namespace cupel::nn
