#include "nn/llm/load_weights_nn.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "data/adapter_folder.h"
#include "data/gguf.h"
#include "nn/bridge_nn.h"
#include "nn/llm/adapter_nn.h"
#include "nn/llm/model_files.h"
#include "nn/llm/named_parts_nn.h"

namespace cupel::llm {
namespace {

/// model.layers.<i>.embed_tokens.weight or model.layers.<i>.shared_head.head.weight
bool is_repeated_by_a_prediction_layer(std::string_view name) {
  constexpr std::string_view kPrefix = "model.layers.";
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  const std::size_t digits = name.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos) return false;
  name.remove_prefix(digits);
  return name == ".embed_tokens.weight" || name == ".shared_head.head.weight";
}

bool is_ignored(const std::string& name, const Decoder& decoder) {
  return name.ends_with("rotary_emb.inv_freq") || is_repeated_by_a_prediction_layer(name) ||
         (name == "lm_head.weight" && decoder.config().tie_word_embeddings);
}

std::string text_of(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t extent : shape) text += (text.empty() ? "" : ", ") + std::to_string(extent);
  return "[" + text + "]";
}

constexpr std::size_t kNameCharacters = 200;

/// At most ten lines of a list, and how many more there are.
std::string told(const std::vector<std::string>& lines) {
  constexpr std::size_t kMostTold = 10;
  std::string text;
  for (std::size_t i = 0; i < lines.size() && i < kMostTold; ++i) text += "\n  " + lines[i];
  if (lines.size() > kMostTold)
    text += "\n  and " + std::to_string(lines.size() - kMostTold) + " more";
  return text;
}

/// What keeps the files from filling the parts: what is missing or does not fit, then what nothing
/// asks for.
std::string problems_of(const TensorSource& source, const std::vector<NamedPart>& parts,
                        const Decoder& decoder) {
  std::vector<std::string> lacks, extra;
  std::set<std::string> wanted;
  for (const NamedPart& part : parts) {
    wanted.insert(part.name);
    const SourceTensor* tensor = source.find(part.name);
    const std::vector<int64_t> shape = part.tensor.sizes().vec();
    if (tensor == nullptr) {
      lacks.push_back("missing " + part.name);
    } else if (!tensor->problem.empty()) {
      lacks.push_back(part.name + " is " + tensor->problem);
    } else if (tensor->shape != shape) {
      lacks.push_back(part.name + " is " + text_of(tensor->shape) + ", config.json says " +
                      text_of(shape));
    }
  }
  for (const SourceTensor& tensor : source.tensors) {
    if (!wanted.contains(tensor.name) && !is_ignored(tensor.name, decoder))
      extra.push_back("unexpected " + clip(tensor.name, kNameCharacters));
  }
  return told(lacks) + told(extra);
}

/// Reads blocks of rows on LibTorch's threads, and hands the whole to `part`, in its type.
void fill(const NamedPart& part, const SourceTensor& tensor) {
  constexpr int64_t kNumbersTogether = 1 << 18;
  const Extent extent = extent_of(tensor.shape);
  const at::Tensor values = at::empty(tensor.shape, at::kFloat);
  float* out = values.mutable_data_ptr<float>();
  const int64_t grain = std::max<int64_t>(1, kNumbersTogether / std::max<int64_t>(1, extent.width));
  nn::for_rows(extent.rows, grain, [&](int64_t begin, int64_t end) {
    tensor.read(begin, end, out + begin * extent.width);
  });
  part.tensor.copy_(values);
}

}  // namespace

void load_weights(const std::filesystem::path& model, Decoder& decoder) {
  if (is_adapter(model)) {
    load_weights(base_of_adapter(model), decoder);
    load_adapters(model, decoder);
    merge_adapters(decoder);
    for (const at::Tensor& weight : decoder.parameters()) weight.set_requires_grad(true);
    return;
  }
  const TensorSource source = tensors_of(model, decoder.config());
  const std::vector<NamedPart> parts = parts_of(decoder);
  const std::string problems = problems_of(source, parts, decoder);
  if (!problems.empty())
    fail(ErrorKind::data, model.string(), "the weights do not fit config.json:" + problems,
         is_gguf(model) ? "the file is damaged, or of a variant of the family that is not built"
                        : "fetch config.json and weights from one place");
  at::NoGradGuard no_grad;
  for (const NamedPart& part : parts) fill(part, *source.find(part.name));
}

}  // namespace cupel::llm
