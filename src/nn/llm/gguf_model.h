// A language model in a GGUF file: its config.json and its tensors, as transformers would have
// them.
#pragma once

#include <filesystem>
#include <memory>

#include "base/json.h"
#include "data/gguf.h"
#include "nn/llm/config.h"
#include "nn/llm/tensor_source.h"

namespace cupel::llm {

/// The text of config.json, for parse_model_config. Architectures llama (Mistral's files too),
/// qwen2, qwen3, qwen3moe and deepseek2 (whose gating function tells V3 from V2). Llama 3's context
/// extension is read back from the tensor rope_freqs.weight. Throws Error{config} for any other
/// architecture, listing these, for one part of a split file, and for what is not built.
json::Value gguf_config(const Gguf& file);

/// Tensors under transformers' names and in its layout: rows of queries and keys of the llama
/// architecture in their order again, experts one by one, kv_b put together of k_b and v_b. A name
/// that is not known stands as it is, so that whoever compares names both ways can tell of it.
TensorSource gguf_source(const std::shared_ptr<const Gguf>& file, const ModelConfig& config);

}  // namespace cupel::llm
