#include "nn/llm/stored_format.h"

#include <algorithm>

#include "data/gguf.h"
#include "nn/encoder_precision.h"

namespace cupel::llm {

DecoderFormat w4a8_format(int64_t group) {
  return {nn::format_of(nn::EncoderPrecision::w4a8, group),
          nn::format_of(nn::EncoderPrecision::int8, group)};
}

DecoderFormat stored_format(const std::filesystem::path& model) {
  if (!is_gguf(model)) return {};
  const Gguf file = Gguf::open(model);
  const bool coded = std::ranges::any_of(file.contents().tensors, [](const GgufTensor& tensor) {
    return tensor.type == GgufType::iq4_nl && tensor.shape.size() > 1;
  });
  return coded ? w4a8_format(kCb4Block) : DecoderFormat{};
}

}  // namespace cupel::llm
