#include "nn/llm/adapter_nn.h"

#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"
#include "data/adapter_folder.h"
#include "data/safetensors.h"
#include "nn/llm/tensor_source.h"

namespace cupel::llm {
namespace {

/// Before every name in PEFT's files.
constexpr std::string_view kPeftPrefix = "base_model.model.";
constexpr std::string_view kA = ".lora_A.weight", kB = ".lora_B.weight";

/// Masks of adapters lie in the upper half of what tells dropout's masks apart, those of branches
/// in the lower.
constexpr uint64_t kFirstSite = 0x8000;

using Layers = std::map<std::string, std::shared_ptr<Linear>>;

Layers linear_layers(const Decoder& decoder) {
  Layers layers;
  for (const auto& item : decoder.named_modules("", /*include_self=*/false)) {
    if (const auto linear = std::dynamic_pointer_cast<Linear>(item.value()))
      layers.emplace(item.key(), linear);
  }
  return layers;
}

void freeze(const Decoder& decoder) {
  for (const at::Tensor& weight : decoder.parameters()) weight.set_requires_grad(false);
}

/// The two matrices of a layer's adapter in a file.
struct Pair {
  const SourceTensor *a = nullptr, *b = nullptr;
};

/// What of the file fits no layer, ten lines at most; fills `pairs`.
std::string pair_tensors(const TensorSource& source, const std::vector<LinearShape>& layers,
                         std::map<std::string, Pair>& pairs) {
  constexpr std::size_t kMostTold = 10;
  std::vector<std::string> problems;
  for (const SourceTensor& tensor : source.tensors) {
    std::string_view name = tensor.name;
    if (name.starts_with(kPeftPrefix)) name.remove_prefix(kPeftPrefix.size());
    const bool is_a = name.ends_with(kA);
    if (is_a || name.ends_with(kB)) name.remove_suffix(kA.size());
    const auto layer = std::ranges::find(layers, name, &LinearShape::name);
    const std::string shown = clip(tensor.name, 200);
    if (layer == layers.end()) {
      problems.push_back("unexpected " + shown);
    } else if (!tensor.problem.empty()) {
      problems.push_back(shown + " is " + tensor.problem);
    } else if (tensor.shape.size() != 2 ||
               tensor.shape[is_a ? 1 : 0] != (is_a ? layer->in : layer->out)) {
      problems.push_back(shown + " does not fit a layer of [" + std::to_string(layer->out) + ", " +
                         std::to_string(layer->in) + "]");
    } else {
      Pair& pair = pairs[layer->name];
      (is_a ? pair.a : pair.b) = &tensor;
    }
  }
  for (const auto& [name, pair] : pairs) {
    if (pair.a == nullptr || pair.b == nullptr)
      problems.push_back("missing " + name + std::string(pair.a == nullptr ? kA : kB));
    else if (pair.a->shape[0] != pair.b->shape[1] || pair.a->shape[0] < 1)
      problems.push_back(name + ": lora_A and lora_B are of different ranks");
  }
  std::string text;
  for (std::size_t i = 0; i < problems.size() && i < kMostTold; ++i) text += "\n  " + problems[i];
  if (problems.size() > kMostTold)
    text += "\n  and " + std::to_string(problems.size() - kMostTold) + " more";
  return text;
}

void fill(const at::Tensor& weight, const SourceTensor& tensor) {
  const at::Tensor values = at::empty(tensor.shape, at::kFloat);
  tensor.read(0, tensor.shape[0], values.mutable_data_ptr<float>());
  weight.copy_(values);
}

}  // namespace

void add_adapters(Decoder& decoder, const AdapterConfig& config, const Run& run,
                  const std::string& where) {
  const std::vector<LinearShape> chosen = adapted_layers(decoder.config(), config.targets, where);
  const Layers layers = linear_layers(decoder);
  freeze(decoder);
  uint64_t index = 0;
  for (const LinearShape& shape : chosen) {
    Linear& layer = *layers.at(shape.name);
    layer.add_adapter(config.rank, config.scale(config.rank), kFirstSite + index);
    Rng rng = run.stream("adapter weights", index++);
    const double bound = 1 / std::sqrt(static_cast<double>(shape.in));
    at::NoGradGuard no_grad;
    const at::Tensor& a = layer.adapter_a()->weight;
    float* data = a.mutable_data_ptr<float>();
    for (int64_t i = 0; i < a.numel(); ++i)
      data[i] = static_cast<float>(bound * (2 * rng.uniform() - 1));
    a.unsafeGetTensorImpl()->bump_version();
  }
}

void narrow_frozen(Decoder& decoder, at::ScalarType storage) {
  const auto narrow = [&](at::Tensor& weight) {
    if (!weight.requires_grad()) weight.set_data(weight.to(storage));
  };
  for (const auto& item : decoder.named_modules("", /*include_self=*/false)) {
    if (const auto linear = std::dynamic_pointer_cast<Linear>(item.value())) narrow(linear->weight);
    if (const auto bank = std::dynamic_pointer_cast<ExpertBank>(item.value())) {
      narrow(bank->gate_up_proj);
      narrow(bank->down_proj);
    }
  }
}

void load_adapters(const std::filesystem::path& adapter, Decoder& decoder) {
  const AdapterConfig config = read_adapter_config(adapter);
  const std::filesystem::path file = adapter / kAdapterWeights;
  const TensorSource source = safetensors_source(file);
  std::map<std::string, Pair> pairs;
  std::string problems = pair_tensors(source, adaptable_layers(decoder.config()), pairs);
  if (pairs.empty() && problems.empty()) problems = "\n  it holds no tensor";
  if (!problems.empty())
    fail(ErrorKind::data, file.string(), "the adapter does not fit its base model:" + problems,
         "adapters of linear layers of the blocks are read; routed experts, embeddings and head "
         "have none here");
  const Layers layers = linear_layers(decoder);
  const at::ScalarType type = decoder.parameters().front().scalar_type();
  freeze(decoder);
  at::NoGradGuard no_grad;
  uint64_t index = 0;
  for (const auto& [name, pair] : pairs) {
    Linear& layer = *layers.at(name);
    const int64_t rank = pair.a->shape[0];
    layer.add_adapter(rank, config.scale(rank), kFirstSite + index++);
    fill(layer.adapter_a()->weight, *pair.a);
    fill(layer.adapter_b()->weight, *pair.b);
    layer.adapter_a()->to(type);
    layer.adapter_b()->to(type);
  }
}

void merge_adapters(Decoder& decoder) {
  for (const auto& item : linear_layers(decoder)) item.second->merge_adapter();
}

void save_adapters(const std::filesystem::path& folder, const Decoder& decoder,
                   const AdapterConfig& config, const std::string& base) {
  std::vector<TensorEntry> entries;
  for (const auto& item : decoder.named_parameters()) {
    if (!item.key().ends_with(kA) && !item.key().ends_with(kB)) continue;
    const at::Tensor& tensor = item.value();
    CUPEL_ASSERT(tensor.is_contiguous() && tensor.scalar_type() == at::kFloat);
    entries.push_back({std::string(kPeftPrefix) + item.key(), Dtype::f32, tensor.sizes().vec(),
                       static_cast<const std::byte*>(tensor.const_data_ptr()),
                       static_cast<int64_t>(tensor.nbytes())});
  }
  std::vector<LinearShape> adapted;
  const Layers layers = linear_layers(decoder);
  for (const LinearShape& shape : adaptable_layers(decoder.config())) {
    if (layers.at(shape.name)->has_adapter()) adapted.push_back(shape);
  }
  write_safetensors(folder / kAdapterWeights, std::move(entries), {{"format", "pt"}});
  write_file_atomically(folder / kAdapterConfig,
                        json::dump(to_peft_json(config, adapted, base), 2) + "\n");
}

}  // namespace cupel::llm
