// A decoder's tensors under the names of published checkpoints.
#pragma once

#include <string>
#include <vector>

#include "nn/llm/decoder_nn.h"

namespace cupel::llm {

/// A tensor of a checkpoint and the part of the decoder that it fills.
struct NamedPart {
  std::string name;
  at::Tensor tensor;
};

/// Every parameter and buffer but those of adapters; fused experts one by one. The tensors are
/// views of the decoder's.
std::vector<NamedPart> parts_of(const Decoder& decoder);

}  // namespace cupel::llm
