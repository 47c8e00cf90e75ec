// A language model's linear layers as 4-bit codes.
#pragma once

#include <vector>

#include "base/run.h"
#include "compress/token_windows.h"
#include "nn/llm/config.h"
#include "nn/llm/tensor_source.h"

namespace cupel::compress {

/// The linear layers' part of a language model.
struct CodedLayers {
  llm::TensorSource source;  // all tensors; those in codes have read_codes
  double error = 0;          // of the outputs on the calibration tokens, a share of their size
  int64_t tensors = 0;       // in codes
};

/// GPTQ (compress/gptq.h) of the linear layers of every block, routers and what multi-head latent
/// attention absorbs left out, by the activations that `windows` make them see in fp32. Layers are
/// calibrated together as far as their second moments fit 2 GiB; each such group takes a pass over
/// the windows. Same bytes for any number of threads. `where` is the culprit of errors. Throws
/// Error{config} for widths that are no multiple of `group`, Error{data} for weights that are not
/// finite; Interrupted when asked to stop.
CodedLayers encode_layers(const llm::TensorSource& source, const llm::ModelConfig& config,
                          const std::vector<TokenWindow>& windows, int64_t group, Run& run,
                          const std::string& where);

}  // namespace cupel::compress
