#include "nn/llm/gguf_file_nn.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "nn/llm/named_parts_nn.h"

namespace cupel::llm {

TensorSource source_of(const Decoder& decoder) {
  std::vector<SourceTensor> tensors;
  for (NamedPart& part : parts_of(decoder)) {
    CUPEL_ASSERT(part.tensor.is_contiguous() && part.tensor.scalar_type() == at::kFloat);
    const std::vector<int64_t> shape = part.tensor.sizes().vec();
    tensors.push_back({part.name, shape, "",
                       [tensor = part.tensor, width = extent_of(shape).width](
                           int64_t begin, int64_t end, float* out) {
                         const float* numbers = tensor.const_data_ptr<float>();
                         std::copy(numbers + begin * width, numbers + end * width, out);
                       }});
  }
  return make_source(std::move(tensors), "[nn.gguf]");
}

void save_gguf(const std::filesystem::path& path, const Decoder& decoder, const GgufHead& head) {
  write_gguf(path, head.metadata,
             gguf_outputs(gguf_tensors(source_of(decoder), decoder.config()), head.type));
}

}  // namespace cupel::llm
