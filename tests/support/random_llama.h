// A llama with random weights that were never in a file, wide enough for 4-bit codes.
#pragma once

#include <algorithm>
#include <vector>

#include "base/rng.h"
#include "nn/llm/config.h"
#include "nn/llm/tensor_source.h"

namespace cupel::llm {

struct RandomLlama {
  /// Matrices from N(0, spread²), norms one.
  explicit RandomLlama(int64_t vocab_size = 100, double spread = 0.1) {
    config.family = "llama";
    config.vocab_size = vocab_size;
    config.hidden_size = 64;
    config.intermediate_size = 96;
    config.num_hidden_layers = 2;
    config.num_key_value_heads = 2;
    std::vector<SourceTensor> tensors;
    for (const ParameterShape& parameter : parameter_shapes(config)) {
      std::vector<float> values(static_cast<std::size_t>(parameter.size()), 1.0f);
      Rng rng(1, parameter.name);
      if (parameter.shape.size() > 1)
        for (float& value : values) value = static_cast<float>(spread * rng.normal());
      SourceTensor tensor{parameter.name, parameter.shape, "", nullptr};
      tensor.read = [values, width = parameter.shape.back()](int64_t begin, int64_t end,
                                                             float* out) {
        std::copy(values.begin() + begin * width, values.begin() + end * width, out);
      };
      tensors.push_back(std::move(tensor));
    }
    source = make_source(std::move(tensors), "random");
  }

  ModelConfig config;
  TensorSource source;
};

}  // namespace cupel::llm
