#include "nn/classifier_files_nn.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"
#include "data/safetensors.h"

namespace cupel::nn {
namespace {

constexpr std::string_view kBert = "bert.";

std::optional<at::ScalarType> type_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return at::kFloat;
    case Dtype::f64:
      return at::kDouble;
    case Dtype::f16:
      return at::kHalf;
    case Dtype::bf16:
      return at::kBFloat16;
    default:
      return std::nullopt;
  }
}

std::string text_of(at::IntArrayRef shape) {
  std::ostringstream text;
  text << shape;
  return text.str();
}

/// The parts of a checkpoint that a classifier asks for, whatever the checkpoint calls them.
class Checkpoint {
 public:
  explicit Checkpoint(const std::filesystem::path& folder)
      : where_(folder.string()), file_(Safetensors::open(folder)) {
    const auto begins = [](const TensorEntry& tensor) { return tensor.name.starts_with(kBert); };
    has_prefix_ = std::ranges::any_of(file_.tensors(), begins);
  }

  /// By the classifier's name, or null pointer.
  const TensorEntry* find(std::string name) const {
    if (!has_prefix_ && name.starts_with(kBert)) name.erase(0, kBert.size());
    if (const TensorEntry* found = file_.find(name)) return found;
    for (const auto& [now, before] : {std::pair("LayerNorm.weight", "LayerNorm.gamma"),
                                      std::pair("LayerNorm.bias", "LayerNorm.beta")}) {
      if (!name.ends_with(now)) continue;
      name.replace(name.size() - std::string_view(now).size(), std::string::npos, before);
      return file_.find(name);
    }
    return nullptr;
  }

  bool lacks(const std::string& part) const { return find(part + ".weight") == nullptr; }

  /// Fails for what does not fit `parameter`.
  const TensorEntry& required(const std::string& name, const at::Tensor& parameter) const {
    const TensorEntry* entry = find(name);
    if (entry == nullptr) {
      fail(ErrorKind::data, where_, "tensor " + name + " is missing",
           "this is no BERT model, or its file is damaged");
    }
    if (parameter.sizes() != at::IntArrayRef(entry->shape)) {
      fail(ErrorKind::data, where_,
           "tensor " + entry->name + " is " + text_of(entry->shape) + ", config.json says " +
               text_of(parameter.sizes()),
           "fetch both files from one place");
    }
    if (!type_of(entry->dtype)) {
      fail(ErrorKind::data, where_,
           "tensor " + entry->name + " has type " + std::string(dtype_name(entry->dtype)),
           "known: F32, F64, F16, BF16");
    }
    return *entry;
  }

  /// Fails for weights of an encoder that config.json does not describe.
  void refuse_others(const std::set<const TensorEntry*>& wanted) const {
    for (const TensorEntry& tensor : file_.tensors()) {
      std::string_view name = tensor.name;
      if (has_prefix_ && name.starts_with(kBert)) name.remove_prefix(kBert.size());
      const bool of_encoder = name.starts_with("embeddings.") || name.starts_with("encoder.");
      if (!of_encoder || name == "embeddings.position_ids" || wanted.contains(&tensor)) continue;
      fail(ErrorKind::data, where_, "tensor " + clip(tensor.name, 200) + " is unexpected",
           "config.json describes another model; fetch both files from one place");
    }
  }

 private:
  std::string where_;
  Safetensors file_;
  bool has_prefix_ = false;
};

/// The file's bytes need not be aligned.
void fill(const at::Tensor& parameter, const TensorEntry& entry) {
  const at::Tensor values = at::empty(entry.shape, *type_of(entry.dtype));
  if (entry.bytes > 0)
    std::memcpy(values.mutable_data_ptr(), entry.data, static_cast<std::size_t>(entry.bytes));
  parameter.copy_(values);
}

}  // namespace

std::vector<std::string> load_classifier_weights(const std::filesystem::path& folder,
                                                 BertClassifier& classifier, bool with_head) {
  const Checkpoint checkpoint(folder);
  const bool no_pooler = checkpoint.lacks("bert.pooler.dense");
  std::vector<std::pair<at::Tensor, const TensorEntry*>> parts;
  std::set<const TensorEntry*> wanted;
  for (const auto& item : classifier.named_parameters()) {
    if (!with_head && item.key().starts_with("classifier.")) continue;
    if (no_pooler && item.key().starts_with("bert.pooler.")) continue;
    parts.emplace_back(item.value(), &checkpoint.required(item.key(), item.value()));
    wanted.insert(parts.back().second);
  }
  checkpoint.refuse_others(wanted);
  at::NoGradGuard no_grad;
  for (const auto& [parameter, entry] : parts) fill(parameter, *entry);
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
