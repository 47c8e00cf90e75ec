// The files of a language model, whichever format they have.
#pragma once

#include <filesystem>

#include "nn/llm/config.h"
#include "nn/llm/tensor_source.h"

namespace cupel::llm {

/// `model`: a folder with config.json, or a .gguf file.
ModelConfig model_config_of(const std::filesystem::path& model);

/// `model`: a folder of safetensors, or a .gguf file; `config` is that of the model.
TensorSource tensors_of(const std::filesystem::path& model, const ModelConfig& config);

}  // namespace cupel::llm
