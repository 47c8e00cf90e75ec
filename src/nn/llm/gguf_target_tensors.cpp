#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>

#include "base/error.h"
#include "data/cb4.h"
#include "nn/llm/gguf_layout.h"
#include "nn/llm/gguf_target.h"
#include "nn/llm/rope.h"

namespace cupel::llm {
namespace {

/// Where a tensor stands in the file: before the layers, in one, or behind them; then by name.
constexpr int64_t kBefore = -1;

struct Placed {
  int64_t layer = 0;
  SourceTensor tensor;
};

/// "model.layers.3.mlp.up_proj.weight" → 3, "mlp.up_proj", ".weight"; layer is kBefore for any
/// other.
struct PublishedName {
  int64_t layer = kBefore;
  std::string_view part, kind;
};
PublishedName published_name(std::string_view name) {
  constexpr std::string_view kPrefix = "model.layers.";
  if (!name.starts_with(kPrefix)) return {};
  name.remove_prefix(kPrefix.size());
  PublishedName result;
  const auto end = std::from_chars(name.data(), name.data() + name.size(), result.layer).ptr;
  name.remove_prefix(static_cast<std::size_t>(end - name.data()) + 1);
  const std::size_t dot = name.rfind('.');
  result.part = name.substr(0, dot);
  result.kind = name.substr(dot);
  return result;
}

std::string_view gguf_part(std::string_view published) {
  const auto row = std::ranges::find(kGgufLayerNames, published, &GgufName::published);
  CUPEL_ASSERT(row != kGgufLayerNames.end());
  return row->gguf;
}

std::string name_in(int64_t layer, std::string_view part, std::string_view kind) {
  return "blk." + std::to_string(layer) + "." + std::string(part) + std::string(kind);
}

/// The rows of each head in llama.cpp's order; of a bias, the numbers.
SourceTensor in_pairs(const SourceTensor& from, std::string name, int64_t width) {
  SourceTensor result{std::move(name), from.shape, from.problem, nullptr};
  if (from.shape.size() == 1) {
    result.read = [read = from.read, count = from.shape[0], width](int64_t, int64_t, float* out) {
      std::vector<float> values(static_cast<std::size_t>(count));
      read(0, 1, values.data());
      for (int64_t row = 0; row < count; ++row)
        out[row] = values[static_cast<std::size_t>(published_row(row, width))];
    };
    return result;
  }
  result.read = [read = from.read, columns = from.shape.back(), width](int64_t begin, int64_t end,
                                                                       float* out) {
    for (int64_t row = begin; row < end; ++row, out += columns) {
      const int64_t at = published_row(row, width);
      read(at, at + 1, out);
    }
  };
  if (from.read_codes)
    result.read_codes = [codes = from.read_codes, bytes = cb4::row_bytes(from.shape.back()), width](
                            int64_t begin, int64_t end, std::byte* out) {
      for (int64_t row = begin; row < end; ++row, out += bytes) {
        const int64_t at = published_row(row, width);
        codes(at, at + 1, out);
      }
    };
  return result;
}

/// Rows [begin, end) of matrices of `rows` each that stand below each other, `width` items of `out`
/// a row.
template <class Read, class Item>
void read_stacked(const std::vector<Read>& reads, int64_t rows, int64_t width, int64_t begin,
                  int64_t end, Item* out) {
  while (begin < end) {
    const int64_t matrix = begin / rows, first = begin % rows;
    const int64_t last = std::min(rows, first + end - begin);
    reads[static_cast<std::size_t>(matrix)](first, last, out);
    out += (last - first) * width;
    begin += last - first;
  }
}

/// Matrices of the same shape one after the other: [n, rows, width].
SourceTensor stacked(std::vector<const SourceTensor*> experts, std::string name) {
  const std::vector<int64_t>& shape = experts.front()->shape;
  SourceTensor result{
      std::move(name), {static_cast<int64_t>(experts.size()), shape[0], shape[1]}, "", nullptr};
  std::vector<decltype(SourceTensor::read)> reads;
  std::vector<decltype(SourceTensor::read_codes)> codes;
  for (const SourceTensor* expert : experts) {
    CUPEL_ASSERT(expert != nullptr && expert->shape == shape);
    reads.push_back(expert->read);
    if (expert->read_codes) codes.push_back(expert->read_codes);
  }
  const int64_t rows = shape[0], width = shape[1];
  result.read = [reads = std::move(reads), rows, width](int64_t begin, int64_t end, float* out) {
    read_stacked(reads, rows, width, begin, end, out);
  };
  if (codes.size() == experts.size())
    result.read_codes = [codes = std::move(codes), rows, bytes = cb4::row_bytes(width)](
                            int64_t begin, int64_t end, std::byte* out) {
      read_stacked(codes, rows, bytes, begin, end, out);
    };
  return result;
}

/// kv_b [heads * (nope + value), rank] → v_b [heads, value, rank]
SourceTensor values_of(const SourceTensor& from, const ModelConfig& config, std::string name) {
  const int64_t nope = config.qk_nope_head_dim, value = config.v_head_dim, rank = from.shape[1];
  SourceTensor result{std::move(name), {config.num_attention_heads, value, rank}, "", nullptr};
  result.read = [read = from.read, nope, value, rank](int64_t begin, int64_t end, float* out) {
    for (int64_t row = begin; row < end; ++row, out += rank) {
      const int64_t at = row / value * (nope + value) + nope + row % value;
      read(at, at + 1, out);
    }
  };
  return result;
}

/// kv_b [heads * (nope + value), rank] → k_b [heads, rank, nope], each head transposed.
SourceTensor keys_of(const SourceTensor& from, const ModelConfig& config, std::string name) {
  const int64_t nope = config.qk_nope_head_dim, value = config.v_head_dim, rank = from.shape[1];
  SourceTensor result{std::move(name), {config.num_attention_heads, rank, nope}, "", nullptr};
  result.read = [read = from.read, nope, value, rank](int64_t begin, int64_t end, float* out) {
    std::vector<float> head(static_cast<std::size_t>(nope * rank));  // of `loaded`
    int64_t loaded = -1;
    for (int64_t row = begin; row < end; ++row, out += nope) {
      const int64_t at = row / rank, within = row % rank;
      if (loaded != at) read(at * (nope + value), at * (nope + value) + nope, head.data());
      loaded = at;
      for (int64_t i = 0; i < nope; ++i) out[i] = head[static_cast<std::size_t>(i * rank + within)];
    }
  };
  return result;
}

SourceTensor renamed(const SourceTensor& from, std::string name) {
  return {std::move(name), from.shape, from.problem, from.read, from.read_codes};
}

/// Experts of a layer and projection by their number, until all have come.
using Experts = std::map<std::pair<int64_t, std::string>, std::vector<const SourceTensor*>>;

/// mlp.experts.<i>.<projection>
void take_expert(const SourceTensor& tensor, const PublishedName& name, const ModelConfig& config,
                 Experts& experts) {
  const std::string_view rest = name.part.substr(std::string_view("mlp.experts.").size());
  std::size_t index = 0;
  const auto end = std::from_chars(rest.data(), rest.data() + rest.size(), index).ptr;
  CUPEL_ASSERT(index < static_cast<std::size_t>(config.n_routed_experts));
  const std::string_view projection = rest.substr(static_cast<std::size_t>(end - rest.data()) + 1);
  auto& all = experts[{name.layer, std::string(projection)}];
  all.resize(static_cast<std::size_t>(config.n_routed_experts));
  all[index] = &tensor;
}

void add_layer_tensor(const SourceTensor& tensor, const PublishedName& name,
                      const ModelConfig& config, std::vector<Placed>& placed) {
  const int64_t layer = name.layer;
  const auto add = [&](SourceTensor result) { placed.push_back({layer, std::move(result)}); };
  const bool turned = name.part == "self_attn.q_proj" || name.part == "self_attn.k_proj";
  const bool llama = config.family == "llama" || config.family == "mistral";
  if (name.part == "mlp.gate" && name.kind == ".e_score_correction_bias") {
    add(renamed(tensor, name_in(layer, "exp_probs_b", ".bias")));
  } else if (name.part == "self_attn.kv_b_proj") {
    add(keys_of(tensor, config, name_in(layer, "attn_k_b", name.kind)));
    add(values_of(tensor, config, name_in(layer, "attn_v_b", name.kind)));
  } else if (llama && turned) {
    add(in_pairs(tensor, name_in(layer, gguf_part(name.part), name.kind), config.rotary_width()));
  } else {
    add(renamed(tensor, name_in(layer, gguf_part(name.part), name.kind)));
  }
}

/// rope_freqs.weight: by what Llama 3's extension divides each pair's frequency.
SourceTensor divisors(const ModelConfig& config) {
  const std::vector<double> exact = frequency_divisors(config);
  const std::vector<float> values(exact.begin(), exact.end());
  return {"rope_freqs.weight",
          {static_cast<int64_t>(values.size())},
          "",
          [values](int64_t, int64_t, float* out) { std::ranges::copy(values, out); }};
}

}  // namespace

std::vector<SourceTensor> gguf_tensors(const TensorSource& source, const ModelConfig& config) {
  std::vector<Placed> placed;
  Experts experts;
  for (const SourceTensor& tensor : source.tensors) {
    const PublishedName name = published_name(tensor.name);
    if (name.layer >= config.num_hidden_layers) continue;
    if (name.part.starts_with("mlp.experts.")) {
      take_expert(tensor, name, config, experts);
    } else if (name.layer != kBefore) {
      add_layer_tensor(tensor, name, config, placed);
    } else if (tensor.name != "lm_head.weight" || !config.tie_word_embeddings) {
      const auto row =
          std::ranges::find(kGgufTopNames, std::string_view(tensor.name), &GgufName::published);
      CUPEL_ASSERT(row != kGgufTopNames.end());
      const bool first = row->gguf.starts_with("token_embd");
      placed.push_back(
          {first ? kBefore : config.num_hidden_layers, renamed(tensor, std::string(row->gguf))});
    }
  }
  for (auto& [key, all] : experts)
    placed.push_back(
        {key.first, stacked(std::move(all), name_in(key.first, gguf_part(key.second), ".weight"))});
  if (config.rope_scaling && config.rope_scaling->type == "llama3")
    placed.push_back({kBefore, divisors(config)});
  std::ranges::stable_sort(placed, [](const Placed& a, const Placed& b) {
    return std::pair(a.layer, std::string_view(a.tensor.name)) <
           std::pair(b.layer, std::string_view(b.tensor.name));
  });
  std::vector<SourceTensor> tensors;
  for (Placed& each : placed) tensors.push_back(std::move(each.tensor));
  return tensors;
}

}  // namespace cupel::llm
