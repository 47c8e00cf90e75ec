#include "nn/encoder_weights.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "data/cb4.h"
#include "data/gguf_types.h"

namespace cupel::nn {
namespace {

std::string text_of(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t extent : shape) text += (text.empty() ? "[" : ", ") + std::to_string(extent);
  return text.empty() ? "[]" : text + "]";
}

/// F32, F64, F16 or BF16 as fp32.
void widen(const TensorEntry& entry, float* to, const std::string& where) {
  const auto count = static_cast<std::size_t>(entry.bytes / dtype_bytes(entry.dtype));
  if (entry.dtype == Dtype::f32) {
    std::memcpy(to, entry.data, count * sizeof(float));
  } else if (entry.dtype == Dtype::f64) {
    for (std::size_t i = 0; i < count; ++i) {
      double value;
      std::memcpy(&value, entry.data + i * sizeof value, sizeof value);
      to[i] = static_cast<float>(value);
    }
  } else if (entry.dtype == Dtype::f16 || entry.dtype == Dtype::bf16) {
    std::vector<uint16_t> bits(count);  // the file's need not be aligned
    std::memcpy(bits.data(), entry.data, count * sizeof(uint16_t));
    const Element type = entry.dtype == Dtype::f16 ? Element::f16 : Element::bf16;
    kernels().from_16bit(bits.data(), type, to, static_cast<int64_t>(count));
  } else {
    fail(ErrorKind::data, where,
         "tensor " + entry.name + " has type " + std::string(dtype_name(entry.dtype)),
         "known: F32, F64, F16, BF16");
  }
}

/// An I8 table times a factor a row.
void widen_rows(const TensorEntry& entry, const std::vector<float>& factors, float* to) {
  const auto* from = reinterpret_cast<const int8_t*>(entry.data);
  const int64_t cols = entry.shape[1];
  for (const float factor : factors)
    for (int64_t i = 0; i < cols; ++i) *to++ = static_cast<float>(*from++) * factor;
}

/// What stands beside the encoder and not in it.
bool is_head(const std::string& name) { return name.starts_with("classifier."); }

EncoderLayer take_layer(const EncoderReader& reader, const EncoderConfig& config,
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

EncoderReader::EncoderReader(const Safetensors& file, const NumberFormat& format,
                             const std::string& where)
    : file_(file), format_(format), where_(where) {
  const auto has_prefix = [](const TensorEntry& entry) { return entry.name.starts_with("bert."); };
  if (std::ranges::any_of(file.tensors(), has_prefix)) prefix_ = "bert.";
}

std::string EncoderReader::full_name(const std::string& name) const {
  return is_head(name) ? name : prefix_ + name;
}

const TensorEntry* EncoderReader::find(const std::string& name) const {
  std::string full = full_name(name);
  if (const TensorEntry* found = file_.find(full)) return found;
  for (const auto& [now, before] : {std::pair("LayerNorm.weight", "LayerNorm.gamma"),
                                    std::pair("LayerNorm.bias", "LayerNorm.beta")}) {
    if (!full.ends_with(now)) continue;
    full.replace(full.size() - std::string_view(now).size(), std::string::npos, before);
    return file_.find(full);
  }
  return nullptr;
}

const TensorEntry& EncoderReader::entry(const std::string& name,
                                        const std::vector<int64_t>& shape) const {
  const TensorEntry* found = find(name);
  if (found == nullptr) {
    const bool of_head = is_head(name) || name.starts_with("pooler.");
    fail(ErrorKind::data, where_, "tensor " + full_name(name) + " is missing",
         of_head ? "this is no classifier, or its file is damaged"
                 : "this is no BERT model, or its file is damaged");
  }
  if (found->shape != shape) {
    fail(ErrorKind::data, where_,
         "tensor " + found->name + " is " + text_of(found->shape) + ", config.json says " +
             text_of(shape),
         "fetch both files from one place");
  }
  taken_.insert(found);
  return *found;
}

void EncoderReader::append(const std::string& name, const std::vector<int64_t>& shape,
                           std::vector<float>& values) const {
  std::size_t count = 1;
  for (const int64_t extent : shape) count *= static_cast<std::size_t>(extent);
  const std::size_t begin = values.size();
  values.resize(begin + count);
  float* to = values.data() + begin;
  if (has_codes(name, shape)) {
    const TensorEntry& found = entry(name, {shape[0], cb4::row_bytes(shape[1])});
    return dequantise(GgufType::iq4_nl, found.data, shape[0] * shape[1], to);
  }
  const TensorEntry& found = entry(name, shape);
  if (found.dtype == Dtype::i8 && shape.size() == 2)
    return widen_rows(found, numbers(name + "_scale", {shape[0]}), to);
  widen(found, to, where_);
}

std::vector<float> EncoderReader::numbers(const std::string& name,
                                          const std::vector<int64_t>& shape) const {
  std::vector<float> values;
  append(name, shape, values);
  return values;
}

bool EncoderReader::has_codes(const std::string& name, const std::vector<int64_t>& shape) const {
  const TensorEntry* found = find(name);
  return shape.size() == 2 && shape[1] % cb4::kBlock == 0 && found != nullptr &&
         found->dtype == Dtype::u8;
}

void EncoderReader::refuse_others() const {
  for (const TensorEntry& tensor : file_.tensors()) {
    std::string_view name = tensor.name;
    if (name.starts_with(prefix_)) name.remove_prefix(prefix_.size());
    const bool of_encoder = name.starts_with("embeddings.") || name.starts_with("encoder.");
    if (!of_encoder || name == "embeddings.position_ids" || taken_.contains(&tensor)) continue;
    fail(ErrorKind::data, where_, "tensor " + clip(tensor.name, 200) + " is unexpected",
         "config.json describes another model; fetch both files from one place");
  }
}

EncoderNorm EncoderReader::norm(const std::string& name, int64_t width) const {
  return {numbers(name + ".weight", {width}), numbers(name + ".bias", {width})};
}

PackedLinear EncoderReader::linear(const std::vector<std::string>& names, int64_t out,
                                   int64_t in) const {
  std::vector<float> bias, weight;
  const auto read_biases = [&] {
    for (const std::string& name : names) append(name + ".bias", {out}, bias);
  };
  const bool to_codes = format_.linear == LinearFormat::cb4;
  if (to_codes && in % format_.group != 0) {
    fail(ErrorKind::data, where_,
         "rows of " + full_name(names.front()) + ".weight have " + std::to_string(in) +
             " numbers, which are no whole groups of " + std::to_string(format_.group),
         "take int8, or a model whose widths are multiples of the group");
  }
  if (to_codes && has_codes(names.front() + ".weight", {out, in})) {
    std::vector<std::byte> blocks;
    for (const std::string& name : names) {
      const TensorEntry& stored = entry(name + ".weight", {out, cb4::row_bytes(in)});
      blocks.insert(blocks.end(), stored.data, stored.data + stored.bytes);
    }
    read_biases();
    return make_linear_cb4(blocks.data(), std::move(bias), in, format_.group);
  }
  for (const std::string& name : names) append(name + ".weight", {out, in}, weight);
  read_biases();
  return make_linear(weight, std::move(bias), in, format_, where_ + ": " + names.front());
}

EncoderWeights take_encoder_weights(const Safetensors& file, const EncoderConfig& config,
                                    const NumberFormat& format, const std::string& where) {
  const EncoderReader reader(file, format, where);
  const int64_t width = config.hidden_size;
  EncoderWeights weights;
  weights.format = format;
  weights.words = reader.numbers("embeddings.word_embeddings.weight", {config.vocab_size, width});
  weights.positions = reader.numbers("embeddings.position_embeddings.weight",
                                     {config.max_position_embeddings, width});
  weights.first_type =
      reader.numbers("embeddings.token_type_embeddings.weight", {config.type_vocab_size, width});
  weights.first_type.resize(static_cast<std::size_t>(width));
  weights.embedding = reader.norm("embeddings.LayerNorm", width);
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    weights.layers.push_back(
        take_layer(reader, config, "encoder.layer." + std::to_string(i) + "."));
  }
  reader.refuse_others();
  return weights;
}

}  // namespace cupel::nn
