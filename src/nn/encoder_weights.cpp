#include "nn/encoder_weights.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"

namespace cupel::nn {
namespace {

std::string text_of(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t extent : shape) text += (text.empty() ? "[" : ", ") + std::to_string(extent);
  return text.empty() ? "[]" : text + "]";
}

/// weight: [out, in]
EncoderInt8 quantised(const std::vector<float>& weight, int64_t out, int64_t in) {
  EncoderInt8 result;
  result.scales.resize(static_cast<std::size_t>(int8_cols(out)));
  result.sums.resize(result.scales.size());
  result.panels.resize(static_cast<std::size_t>(int8_panel_bytes(out, in)) /
                       sizeof(EncoderInt8::Line));
  pack_int8(weight.data(), out, in, reinterpret_cast<int8_t*>(result.panels.data()),
            result.sums.data(), result.scales.data());
  return result;
}

/// Takes tensors of a checkpoint by name and shape.
class Reader {
 public:
  Reader(const Safetensors& file, Element element, bool int8, const std::string& where)
      : file_(file), element_(element), int8_(int8), where_(where) {
    if (file.find("bert.embeddings.word_embeddings.weight") != nullptr) prefix_ = "bert.";
  }

  /// Appends a tensor's values.
  void read(const std::string& name, const std::vector<int64_t>& shape,
            std::vector<float>& values) const {
    const TensorEntry* entry = file_.find(prefix_ + name);
    if (entry == nullptr) {
      fail(ErrorKind::data, where_, "tensor " + prefix_ + name + " is missing",
           "this is no BERT model, or its file is damaged");
    }
    if (entry->shape != shape) {
      fail(ErrorKind::data, where_,
           "tensor " + entry->name + " is " + text_of(entry->shape) + ", config.json says " +
               text_of(shape),
           "fetch both files from one place");
    }
    std::size_t count = 1;
    for (const int64_t extent : shape) count *= static_cast<std::size_t>(extent);
    const std::size_t begin = values.size();
    values.resize(begin + count);
    copy(*entry, values.data() + begin, count);
  }

  std::vector<float> vector(const std::string& name, const std::vector<int64_t>& shape) const {
    std::vector<float> values;
    read(name, shape, values);
    return values;
  }

  EncoderNorm norm(const std::string& name, int64_t width) const {
    return {vector(name + ".weight", {width}), vector(name + ".bias", {width})};
  }

  /// Several of one input as one.
  EncoderLinear linear(const std::vector<std::string>& names, int64_t out, int64_t in) const {
    EncoderLinear result;
    result.out = out * static_cast<int64_t>(names.size());
    result.in = in;
    std::vector<float> weight;
    for (const std::string& name : names) {
      read(name + ".weight", {out, in}, weight);
      read(name + ".bias", {out}, result.bias);
    }
    if (int8_) {
      result.int8 = quantised(weight, result.out, in);
      return result;
    }
    result.weight.resize(weight.size() * (element_ == Element::f32 ? 4 : 2));
    if (element_ == Element::f32) {
      std::memcpy(result.weight.data(), weight.data(), result.weight.size());
    } else {
      kernels().to_16bit(weight.data(), result.weight.data(), element_,
                         static_cast<int64_t>(weight.size()));
    }
    return result;
  }

 private:
  void copy(const TensorEntry& entry, float* to, std::size_t count) const {
    const auto size = static_cast<int64_t>(count);
    if (entry.dtype == Dtype::f32) {
      std::memcpy(to, entry.data, count * sizeof(float));
    } else if (entry.dtype == Dtype::f16 || entry.dtype == Dtype::bf16) {
      std::vector<uint16_t> bits(count);  // the file's need not be aligned
      std::memcpy(bits.data(), entry.data, count * sizeof(uint16_t));
      const Element type = entry.dtype == Dtype::f16 ? Element::f16 : Element::bf16;
      kernels().from_16bit(bits.data(), type, to, size);
    } else {
      fail(ErrorKind::data, where_,
           "tensor " + entry.name + " has type " + std::string(dtype_name(entry.dtype)),
           "known: F32, F16, BF16");
    }
  }

  const Safetensors& file_;
  Element element_;
  bool int8_;
  const std::string& where_;
  std::string prefix_;
};

EncoderLayer take_layer(const Reader& reader, const EncoderConfig& config,
                        const std::string& name) {
  const int64_t width = config.hidden_size, inner = config.intermediate_size;
  const std::string self = name + "attention.self.";
  EncoderLayer layer;
  layer.query_key_value =
      reader.linear({self + "query", self + "key", self + "value"}, width, width);
  layer.attention_out = reader.linear({name + "attention.output.dense"}, width, width);
  layer.after_attention = reader.norm(name + "attention.output.LayerNorm", width);
  layer.up = reader.linear({name + "intermediate.dense"}, inner, width);
  layer.down = reader.linear({name + "output.dense"}, width, inner);
  layer.after_feed_forward = reader.norm(name + "output.LayerNorm", width);
  return layer;
}

}  // namespace

EncoderWeights take_encoder_weights(const Safetensors& file, const EncoderConfig& config,
                                    Element element, bool int8, const std::string& where) {
  const Reader reader(file, element, int8, where);
  const int64_t width = config.hidden_size;
  EncoderWeights weights;
  weights.int8 = int8;
  weights.words = reader.vector("embeddings.word_embeddings.weight", {config.vocab_size, width});
  weights.positions = reader.vector("embeddings.position_embeddings.weight",
                                    {config.max_position_embeddings, width});
  weights.first_type =
      reader.vector("embeddings.token_type_embeddings.weight", {config.type_vocab_size, width});
  weights.first_type.resize(static_cast<std::size_t>(width));
  weights.embedding = reader.norm("embeddings.LayerNorm", width);
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    weights.layers.push_back(
        take_layer(reader, config, "encoder.layer." + std::to_string(i) + "."));
  }
  return weights;
}

}  // namespace cupel::nn
