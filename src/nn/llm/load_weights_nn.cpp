#include "nn/llm/load_weights_nn.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "data/safetensors.h"
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

std::optional<at::ScalarType> scalar_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::f16:
      return at::kHalf;
    case Dtype::bf16:
      return at::kBFloat16;
    case Dtype::f32:
      return at::kFloat;
    case Dtype::f64:
      return at::kDouble;
    default:
      return std::nullopt;
  }
}

std::string text_of(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t extent : shape) text += (text.empty() ? "" : ", ") + std::to_string(extent);
  return "[" + text + "]";
}

/// What keeps the file from filling the parts; at most ten are told.
std::string problems_of(const Safetensors& file, const std::vector<NamedPart>& parts,
                        const Decoder& decoder) {
  constexpr std::size_t kNameCharacters = 200;
  std::vector<std::string> problems;
  std::set<std::string> wanted;
  for (const NamedPart& part : parts) {
    wanted.insert(part.name);
    const TensorEntry* entry = file.find(part.name);
    const std::vector<int64_t> shape = part.tensor.sizes().vec();
    if (entry == nullptr) {
      problems.push_back("missing " + part.name);
    } else if (entry->shape != shape) {
      problems.push_back(part.name + " is " + text_of(entry->shape) + ", config.json says " +
                         text_of(shape));
    } else if (!scalar_type(entry->dtype)) {
      problems.push_back(part.name + " is " + std::string(dtype_name(entry->dtype)) +
                         ", known: F32, F16, BF16, F64");
    }
  }
  for (const TensorEntry& entry : file.tensors()) {
    if (!wanted.contains(entry.name) && !is_ignored(entry.name, decoder))
      problems.push_back("unexpected " + clip(entry.name, kNameCharacters));
  }
  constexpr std::size_t kMostTold = 10;
  std::string text;
  for (std::size_t i = 0; i < problems.size() && i < kMostTold; ++i) text += "\n  " + problems[i];
  if (problems.size() > kMostTold)
    text += "\n  and " + std::to_string(problems.size() - kMostTold) + " more";
  return text;
}

}  // namespace

void load_weights(const std::filesystem::path& folder, Decoder& decoder) {
  const Safetensors file = Safetensors::open(folder);
  const std::vector<NamedPart> parts = parts_of(decoder);
  const std::string problems = problems_of(file, parts, decoder);
  if (!problems.empty())
    fail(ErrorKind::data, folder.string(), "the weights do not fit config.json:" + problems,
         "fetch config.json and weights from one place");
  at::NoGradGuard no_grad;
  for (const NamedPart& part : parts) {
    const TensorEntry& entry = *file.find(part.name);
    // The bytes may be unaligned; the copy is what makes them readable.
    const at::Tensor bytes = at::empty({entry.bytes}, at::kByte);
    std::memcpy(bytes.mutable_data_ptr(), entry.data, static_cast<std::size_t>(entry.bytes));
    part.tensor.copy_(bytes.view(*scalar_type(entry.dtype)).view(entry.shape));
  }
}

}  // namespace cupel::llm
