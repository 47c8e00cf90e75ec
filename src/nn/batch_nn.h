// One micro-batch, as the loss of a model sees it.
#pragma once

#include "nn/torch_nn.h"

namespace cupel::nn {

struct Batch {
  at::Tensor inputs;  // token ids [batch, length] int64, or features [batch, columns] float
  at::Tensor
      labels;  // [batch, length] (the next token) or [batch] (a class), int64; -100 does not count
  at::Tensor first;  // [batch, length] int32: first position a token may attend to; undefined: 0
  at::Tensor positions;  // [batch, length] int32: position inside its document; undefined: 0, 1, …
  at::Tensor
      embeddings;     // [batch, length, width]: takes the place of the embedded inputs if defined
  double weight = 0;  // labels that count
  at::Tensor lengths{};  // [batch] int64: tokens of a row, padding follows; undefined: all of it
  int64_t index = 0;     // of the micro-batch, over all epochs: what its randomness depends on
};

/// The same batch with its tensors on `device`.
inline Batch on_device(Batch batch, const at::Device& device) {
  for (at::Tensor* tensor : {&batch.inputs, &batch.labels, &batch.first, &batch.positions,
                             &batch.embeddings, &batch.lengths}) {
    if (tensor->defined()) *tensor = tensor->to(device);
  }
  return batch;
}

}  // namespace cupel::nn
