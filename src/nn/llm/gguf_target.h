// A language model as a GGUF file: its metadata and its tensors, as llama.cpp's converter writes
// them; the way back of gguf_model.h.
#pragma once

#include <string>
#include <vector>

#include "data/gguf_write.h"
#include "data/tokenizer/gguf_tokenizer_write.h"
#include "nn/llm/config.h"
#include "nn/llm/tensor_source.h"

namespace cupel::llm {

/// What a GGUF file cannot say of a model.
struct GgufFit {
  std::vector<std::string> problems;  // another model would come out
  std::vector<std::string> notes;     // left out, or not as llama.cpp has it
};
GgufFit gguf_fit(const ModelConfig& config);
/// The same. Throws Error{config} naming `where` and the problems if there are any.
GgufFit require_gguf_fit(const ModelConfig& config, const std::string& where);

/// All that stands before the tensors, and what format the matrices will have.
struct GgufHead {
  GgufMetadata metadata;
  GgufType type = GgufType::f16;
  std::vector<std::string> notes;  // of the model and of its tokenizer
};
/// Throws as require_gguf_fit() and add_gguf_tokenizer() do: before any weight is read.
GgufHead gguf_head(const ModelConfig& config, const Tokenizer& tokenizer, const GgufBeside& beside,
                   GgufType type);

/// Adds general.architecture, the shape below its name, and what file type llama.cpp calls it.
/// `type` is that of the matrices; `config` has no problems.
void add_gguf_config(const ModelConfig& config, GgufType type, GgufMetadata& metadata);

/// Tensors under the names of transformers, one an expert, in the layout of a GGUF file: rows of
/// queries and keys of the llama architecture turned, experts of a layer in one tensor, kv_b as k_b
/// (a head's matrix transposed) and v_b, divisors of Llama 3's frequencies. Layers past the last
/// one (multi-token prediction) and a tied head are left out. By layer, in a fixed order.
std::vector<SourceTensor> gguf_tensors(const TensorSource& source, const ModelConfig& config);

/// `tensors` ready to be written: matrices in `type`, one that encode() knows or IQ4_NL; vectors
/// and routers stay fp32, as do rows that are not whole blocks of `type`. With IQ4_NL matrices that
/// are 4-bit codes already are written as they are, the others as Q8_0.
std::vector<GgufOutput> gguf_outputs(std::vector<SourceTensor> tensors, GgufType type);

}  // namespace cupel::llm
