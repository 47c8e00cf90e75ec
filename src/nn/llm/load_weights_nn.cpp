#include "nn/llm/load_weights_nn.h"

#include <algorithm>

#include "data/adapter_folder.h"
#include "nn/bridge_nn.h"
#include "nn/llm/adapter_nn.h"
#include "nn/llm/model_files.h"
#include "nn/llm/named_parts_nn.h"
#include "nn/llm/published_shapes.h"

namespace cupel::llm {
namespace {

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
  require_shapes(source, decoder.config(), model);
  at::NoGradGuard no_grad;
  for (const NamedPart& part : parts_of(decoder)) fill(part, *source.find(part.name));
}

}  // namespace cupel::llm
