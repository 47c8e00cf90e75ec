// What a published checkpoint of a model holds, and whether files hold that.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "nn/llm/config.h"
#include "nn/llm/tensor_source.h"

namespace cupel::llm {

/// Tensors under the names of transformers, experts one by one, routers' biases among them; the
/// first `most` of them.
std::vector<ParameterShape> published_shapes(const ModelConfig& config,
                                             std::size_t most = SIZE_MAX);

/// Throws Error{data} listing what is missing, unexpected or of another shape. Ignored: rotary
/// tables, and the copies of embedding and head that some checkpoints repeat in a prediction layer
/// or beside tied embeddings.
void require_shapes(const TensorSource& source, const ModelConfig& config,
                    const std::filesystem::path& model);

}  // namespace cupel::llm
