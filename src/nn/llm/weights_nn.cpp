#include "nn/llm/weights_nn.h"

#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "nn/llm/named_parts_nn.h"

namespace cupel::llm {

namespace {

at::ScalarType scalar_type(Dtype type) {
  return type == Dtype::bf16 ? at::kBFloat16 : type == Dtype::f16 ? at::kHalf : at::kFloat;
}

std::string_view torch_name(Dtype type) {
  return type == Dtype::bf16 ? "bfloat16" : type == Dtype::f16 ? "float16" : "float32";
}

}  // namespace

void save_model(const std::filesystem::path& folder, const Decoder& decoder,
                const TextTokens& tokens, Dtype type) {
  std::vector<TensorEntry> entries;
  std::vector<NamedPart> parts = parts_of(decoder);
  for (NamedPart& part : parts) {
    CUPEL_ASSERT(part.tensor.is_contiguous() && part.tensor.scalar_type() == at::kFloat);
    const Dtype here = part.name.ends_with("e_score_correction_bias") ? Dtype::f32 : type;
    part.tensor = part.tensor.to(scalar_type(here));
    entries.push_back({part.name, here, part.tensor.sizes().vec(),
                       static_cast<const std::byte*>(part.tensor.const_data_ptr()),
                       static_cast<int64_t>(part.tensor.nbytes())});
  }
  write_safetensors(folder / "model.safetensors", std::move(entries), {{"format", "pt"}});
  json::Value config = to_hf_json(decoder.config());
  // Null, or transformers would take the numbers of its own class for the family.
  const auto id = [](std::optional<int32_t> token) {
    return token ? json::Value(int64_t{*token}) : json::Value(nullptr);
  };
  config.set("bos_token_id", id(tokens.bos));
  config.set("eos_token_id", id(tokens.eos));
  config.set("dtype", torch_name(type));
  write_file_atomically(folder / "config.json", json::dump(config, 2) + "\n");
}

}  // namespace cupel::llm
