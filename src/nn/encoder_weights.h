// The weights of a sentence encoder, laid out and rounded as its products read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "data/safetensors.h"
#include "nn/encoder_config.h"
#include "nn/packed_linear.h"

namespace cupel::nn {

struct EncoderNorm {
  std::vector<float> weight, bias;
};

struct EncoderLayer {
  PackedLinear query_key_value;  // the three below each other
  PackedLinear attention_out, up, down;
  EncoderNorm after_attention, after_feed_forward;
};

struct EncoderWeights {
  NumberFormat format;
  std::vector<float> words, positions;  // [vocab_size, hidden], [max_position_embeddings, hidden]
  std::vector<float> first_type;        // [hidden]: a text alone has token type 0
  EncoderNorm embedding;
  std::vector<EncoderLayer> layers;
};

/// Tensors under the names of transformers' BertModel, "bert." before them or not, as F32, F64, F16
/// or BF16; a pooler and heads are ignored. A linear layer may be U8 instead, IQ4_NL blocks of
/// 4-bit codes, and a table of embeddings I8 beside a factor a row, "…weight_scale" (compress
/// writes both). Linear layers become what `format` says. `where` is the culprit of errors. Throws
/// Error{data} that names a tensor which is missing, has another shape or another type, or rows
/// that are not made of whole groups of 4-bit codes.
EncoderWeights take_encoder_weights(const Safetensors& file, const EncoderConfig& config,
                                    const NumberFormat& format, const std::string& where);

/// Reads the tensors of one folder by transformers' names without "bert.", whatever they are stored
/// as. Throws what take_encoder_weights() throws.
class EncoderReader {
 public:
  /// File and `where`, the culprit of errors, must outlive it.
  EncoderReader(const Safetensors& file, const NumberFormat& format, const std::string& where);

  /// Layers of one input, below each other, as one; each [out, in].
  PackedLinear linear(const std::vector<std::string>& names, int64_t out, int64_t in) const;
  bool has(const std::string& name) const { return find(name) != nullptr; }
  /// A tensor as fp32, of 4-bit codes too.
  std::vector<float> numbers(const std::string& name, const std::vector<int64_t>& shape) const;
  /// Fails for an encoder's tensor that nobody asked for: config.json describes another model.
  void refuse_others() const;
  EncoderNorm norm(const std::string& name, int64_t width) const;

 private:
  std::string full_name(const std::string& name) const;
  const TensorEntry* find(const std::string& name) const;
  const TensorEntry& entry(const std::string& name, const std::vector<int64_t>& shape) const;
  void append(const std::string& name, const std::vector<int64_t>& shape,
              std::vector<float>& values) const;
  bool has_codes(const std::string& name, const std::vector<int64_t>& shape) const;

  const Safetensors& file_;
  NumberFormat format_;
  const std::string& where_;
  std::string prefix_;
  mutable std::set<const TensorEntry*> taken_;
};

}  // namespace cupel::nn
