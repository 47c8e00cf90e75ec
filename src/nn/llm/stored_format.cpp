#include "nn/llm/stored_format.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "data/gguf.h"
#include "nn/encoder_precision.h"

namespace cupel::llm {
namespace {

/// Of a block, but the router and what latent attention absorbs.
bool is_linear_layer(const GgufTensor& tensor) {
  constexpr std::array<std::string_view, 4> kOthers{".ffn_gate_inp.", ".attn_kv_b.", ".attn_k_b.",
                                                    ".attn_v_b."};
  const std::string_view name = tensor.name;
  return name.starts_with("blk.") && tensor.shape.size() > 1 &&
         std::ranges::none_of(kOthers, [&](std::string_view other) {
           return name.find(other) != std::string_view::npos;
         });
}

}  // namespace

DecoderFormat w4a8_format(int64_t group) {
  return {nn::format_of(nn::EncoderPrecision::w4a8, group),
          nn::format_of(nn::EncoderPrecision::int8, group)};
}

DecoderFormat stored_format(const std::filesystem::path& model) {
  if (!is_gguf(model)) return {};
  const Gguf file = Gguf::open(model);
  int64_t coded = 0;
  for (const GgufTensor& tensor : file.contents().tensors) {
    if (!is_linear_layer(tensor)) continue;
    // Rounded to 4 bits, one that is stored finer would give other answers.
    if (tensor.type != GgufType::iq4_nl) return {};
    ++coded;
  }
  return coded > 0 ? w4a8_format(kCb4Block) : DecoderFormat{};
}

}  // namespace cupel::llm
