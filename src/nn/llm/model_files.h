// The files of a language model, whichever format they have.
#pragma once

#include <filesystem>

#include "base/run.h"
#include "data/tokenizer/tokenizer.h"
#include "nn/llm/config.h"
#include "nn/llm/tensor_source.h"

namespace cupel::llm {

/// `model`: a folder with config.json, or a .gguf file, or an adapter of one of them
/// (data/adapter_folder.h).
ModelConfig model_config_of(const std::filesystem::path& model);

/// `model`: a folder of safetensors, or a .gguf file; `config` is that of the model.
TensorSource tensors_of(const std::filesystem::path& model, const ModelConfig& config);

/// Throws Error{data} for a tokenizer with ids that the model has no row for.
void require_vocabulary(const std::filesystem::path& model, const Tokenizer& tokenizer,
                        const ModelConfig& config);

/// Records the files in the run's manifest, those of an adapter's base model too.
void record_model(const std::filesystem::path& model, Run& run);

}  // namespace cupel::llm
