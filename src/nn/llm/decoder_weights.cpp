#include "nn/llm/decoder_weights.h"

#include <algorithm>
#include <utility>

#include "data/cb4.h"
#include "nn/llm/families.h"
#include "nn/llm/published_shapes.h"

namespace cupel::llm {
namespace {

// Outputs of a part: few enough for two threads to end together, enough to pay for a call. A
// product of elements packs its left operand for each part.
constexpr int64_t kCodedPart = 128, kElementPart = 512;

/// Reads one model's tensors.
class Reader {
 public:
  Reader(const TensorSource& source, const DecoderFormat& format, ThreadPool& pool,
         const std::string& where)
      : source_(source), format_(format), pool_(pool), where_(where) {}

  bool has(const std::string& name) const { return source_.find(name) != nullptr; }
  std::vector<float> vector(const std::string& name, int64_t size) const {
    std::vector<float> values(static_cast<std::size_t>(size));
    source_.find(name)->read(0, 1, values.data());
    return values;
  }

  /// A matrix as it is multiplied without parts.
  std::vector<std::byte> matrix(const std::string& name, int64_t rows, int64_t cols) const {
    constexpr int64_t kRowsTogether = 512;
    const SourceTensor& tensor = *source_.find(name);
    const Element element = format_.layers.element;
    const int64_t bytes = element == Element::f32 ? 4 : 2;
    std::vector<std::byte> result(static_cast<std::size_t>(rows * cols * bytes));
    pool_.parallel_for(rows, kRowsTogether, [&](int64_t begin, int64_t end) {
      std::byte* to = result.data() + begin * cols * bytes;
      if (element == Element::f32) {
        tensor.read(begin, end, reinterpret_cast<float*>(to));
        return;
      }
      std::vector<float> values(static_cast<std::size_t>((end - begin) * cols));
      tensor.read(begin, end, values.data());
      kernels().to_16bit(values.data(), to, element, (end - begin) * cols);
    });
    return result;
  }

  using Piece = SplitLinear::Piece;
  /// Layers of one input below each other; those without a bias have zeros if another has one.
  SplitLinear linear(const std::vector<Piece>& pieces, int64_t in,
                     const nn::NumberFormat& format) const {
    SplitLinear result;
    result.pieces = pieces;
    result.in = in;
    result.part_outputs = format.linear == nn::LinearFormat::element ? kElementPart : kCodedPart;
    for (const Piece& piece : pieces) {
      if (has(piece.name + ".bias")) {
        result.bias.resize(static_cast<std::size_t>(result.out));
        const std::vector<float> bias = vector(piece.name + ".bias", piece.out);
        result.bias.insert(result.bias.end(), bias.begin(), bias.end());
      }
      result.out += piece.out;
    }
    if (!result.bias.empty()) result.bias.resize(static_cast<std::size_t>(result.out));
    const int64_t count = (result.out + result.part_outputs - 1) / result.part_outputs;
    result.parts.resize(static_cast<std::size_t>(count));
    pool_.parallel_for(count, 1, [&](int64_t part, int64_t) {
      const int64_t begin = part * result.part_outputs;
      const int64_t end = std::min(begin + result.part_outputs, result.out);
      result.parts[static_cast<std::size_t>(part)] = packed(pieces, in, begin, end, format);
    });
    return result;
  }
  SplitLinear linear(const std::string& name, int64_t out, int64_t in) const {
    return linear({{name, out}}, in, format_.layers);
  }
  GatedLayer gated(const std::string& name, int64_t inner, int64_t width) const {
    return {
        linear({{name + ".gate_proj", inner}, {name + ".up_proj", inner}}, width, format_.layers),
        linear(name + ".down_proj", width, inner)};
  }

 private:
  /// Rows [begin, end) of the pieces below each other, as products read them.
  nn::PackedLinear packed(const std::vector<Piece>& pieces, int64_t in, int64_t begin, int64_t end,
                          const nn::NumberFormat& format) const {
    std::vector<float> no_bias(static_cast<std::size_t>(end - begin));
    const auto tensor = [&](const Piece& piece) { return source_.find(piece.name + ".weight"); };
    const bool coded = std::ranges::all_of(
        pieces, [&](const Piece& piece) { return static_cast<bool>(tensor(piece)->read_codes); });
    if (format.linear == nn::LinearFormat::cb4 && coded) {
      std::vector<std::byte> blocks(static_cast<std::size_t>((end - begin) * cb4::row_bytes(in)));
      std::byte* to = blocks.data();
      for_each_range(pieces, begin, end, [&](const Piece& piece, int64_t from, int64_t until) {
        tensor(piece)->read_codes(from, until, to);
        to += (until - from) * cb4::row_bytes(in);
      });
      return nn::make_linear_cb4(blocks.data(), std::move(no_bias), in, format.group);
    }
    std::vector<float> rows(static_cast<std::size_t>((end - begin) * in));
    float* to = rows.data();
    for_each_range(pieces, begin, end, [&](const Piece& piece, int64_t from, int64_t until) {
      tensor(piece)->read(from, until, to);
      to += (until - from) * in;
    });
    return nn::make_linear(rows, std::move(no_bias), in, format,
                           where_ + ": " + pieces.front().name + ".weight");
  }

  /// The rows of each piece that are among [begin, end) of all of them.
  template <class Body>
  static void for_each_range(const std::vector<Piece>& pieces, int64_t begin, int64_t end,
                             const Body& body) {
    int64_t first = 0;
    for (const Piece& piece : pieces) {
      const int64_t from = std::max(begin, first), until = std::min(end, first + piece.out);
      if (from < until) body(piece, from - first, until - first);
      first += piece.out;
    }
  }

  const TensorSource& source_;
  const DecoderFormat& format_;
  ThreadPool& pool_;
  const std::string& where_;
};

LatentProjections take_latent(const Reader& reader, const ModelConfig& c, const std::string& self) {
  const int64_t width = c.hidden_size, query = c.num_attention_heads * c.query_width();
  LatentProjections result;
  if (c.q_lora_rank) {
    result.query_down = reader.linear(self + "q_a_proj", *c.q_lora_rank, width);
    result.query_norm = reader.vector(self + "q_a_layernorm.weight", *c.q_lora_rank);
    result.query = reader.linear(self + "q_b_proj", query, *c.q_lora_rank);
  } else {
    result.query = reader.linear(self + "q_proj", query, width);
  }
  result.latent =
      reader.linear(self + "kv_a_proj_with_mqa", c.kv_lora_rank + c.qk_rope_head_dim, width);
  result.latent_norm = reader.vector(self + "kv_a_layernorm.weight", c.kv_lora_rank);
  result.expand =
      reader.matrix(self + "kv_b_proj.weight",
                    c.num_attention_heads * (c.qk_nope_head_dim + c.v_head_dim), c.kv_lora_rank);
  return result;
}

RoutedLayer take_routed(const Reader& reader, const ModelConfig& c, const std::string& mlp) {
  constexpr const char* kBalance = "gate.e_score_correction_bias";
  RoutedLayer result;
  result.router = reader.linear({{mlp + "gate", c.n_routed_experts}}, c.hidden_size, {});
  if (find_family(c.family)->routing == Routing::sigmoid)
    result.balance = reader.vector(mlp + kBalance, c.n_routed_experts);
  for (int64_t i = 0; i < c.n_routed_experts; ++i)
    result.experts.push_back(
        reader.gated(mlp + "experts." + std::to_string(i), c.moe_intermediate_size, c.hidden_size));
  if (c.shared_width() > 0)
    result.shared = reader.gated(mlp + "shared_experts", c.shared_width(), c.hidden_size);
  return result;
}

DecoderLayer take_layer(const Reader& reader, const ModelConfig& c, const DecoderFormat& format,
                        int64_t index) {
  const Family& family = *find_family(c.family);
  const std::string name = "model.layers." + std::to_string(index) + ".",
                    self = name + "self_attn.";
  const int64_t width = c.hidden_size, heads = c.num_attention_heads, dim = c.rotary_width();
  DecoderLayer layer;
  layer.input_norm = reader.vector(name + "input_layernorm.weight", width);
  layer.post_attention_norm = reader.vector(name + "post_attention_layernorm.weight", width);
  if (family.latent_attention) {
    layer.latent = take_latent(reader, c, self);
    layer.attention_out = reader.linear(self + "o_proj", width, heads * c.v_head_dim);
  } else {
    const int64_t inner = c.num_key_value_heads.value_or(heads) * dim;
    layer.query_key_value = reader.linear(
        {{self + "q_proj", heads * dim}, {self + "k_proj", inner}, {self + "v_proj", inner}}, width,
        format.layers);
    layer.attention_out = reader.linear(self + "o_proj", width, heads * dim);
    if (family.head_norm) {
      layer.query_norm = reader.vector(self + "q_norm.weight", dim);
      layer.key_norm = reader.vector(self + "k_norm.weight", dim);
    }
  }
  if (c.routes(index)) {
    layer.routed = take_routed(reader, c, name + "mlp.");
  } else {
    layer.dense = reader.gated(name + "mlp", c.intermediate_size, width);
  }
  return layer;
}

PredictionLayer take_prediction(const Reader& reader, const ModelConfig& c,
                                const DecoderFormat& format) {
  const std::string name = "model.layers." + std::to_string(c.num_hidden_layers) + ".";
  const int64_t width = c.hidden_size;
  return {reader.vector(name + "enorm.weight", width), reader.vector(name + "hnorm.weight", width),
          reader.linear(name + "eh_proj", width, 2 * width),
          take_layer(reader, c, format, c.num_hidden_layers),
          reader.vector(name + "shared_head.norm.weight", width)};
}

}  // namespace

std::vector<const SplitLinear*> linears_of(const DecoderLayer& layer) {
  std::vector<const SplitLinear*> linears;
  const auto add_gated = [&](const GatedLayer& gated) {
    linears.insert(linears.end(), {&gated.gate_up, &gated.down});
  };
  if (layer.latent) {
    if (layer.latent->query_down) linears.push_back(&*layer.latent->query_down);
    linears.insert(linears.end(), {&layer.latent->query, &layer.latent->latent});
  } else {
    linears.push_back(&layer.query_key_value);
  }
  linears.push_back(&layer.attention_out);
  if (!layer.routed) {
    add_gated(layer.dense);
    return linears;
  }
  for (const GatedLayer& expert : layer.routed->experts) add_gated(expert);
  if (layer.routed->shared) add_gated(*layer.routed->shared);
  return linears;
}

DecoderWeights take_decoder_weights(const TensorSource& source, const ModelConfig& config,
                                    const DecoderFormat& format, ThreadPool& pool,
                                    const std::string& where) {
  require_shapes(source, config, where);
  const Reader reader(source, format, pool, where);
  const int64_t width = config.hidden_size;
  DecoderWeights weights;
  weights.format = format;
  weights.embedding = reader.matrix("model.embed_tokens.weight", config.vocab_size, width);
  weights.head = reader.linear(
      {{config.tie_word_embeddings ? "model.embed_tokens" : "lm_head", config.vocab_size}}, width,
      format.head);
  weights.norm = reader.vector("model.norm.weight", width);
  for (int64_t i = 0; i < config.num_hidden_layers; ++i)
    weights.layers.push_back(take_layer(reader, config, format, i));
  if (config.num_nextn_predict_layers > 0)
    weights.prediction = take_prediction(reader, config, format);
  return weights;
}

}  // namespace cupel::llm
