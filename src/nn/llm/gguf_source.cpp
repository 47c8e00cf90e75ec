#include <algorithm>
#include <string>

#include "base/error.h"
#include "nn/llm/gguf_layout.h"
#include "nn/llm/gguf_model.h"

namespace cupel::llm {
namespace {

using File = std::shared_ptr<const Gguf>;

/// "blk.3.attn_q.weight" → layer "3", part "attn_q", kind ".weight"; part is empty for any other.
struct LayerName {
  std::string layer, part, kind;
};
LayerName layer_name(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return {};
  name.remove_prefix(kPrefix.size());
  const std::size_t dot = name.find('.'), last = name.rfind('.');
  const bool digits =
      dot != 0 && dot != std::string_view::npos && name.find_first_not_of("0123456789") == dot;
  if (!digits || last == dot) return {};
  return {std::string(name.substr(0, dot)), std::string(name.substr(dot + 1, last - dot - 1)),
          std::string(name.substr(last))};
}

int64_t row_bytes(const GgufTensor& tensor) {
  const GgufBlock& block = gguf_block(tensor.type);
  return tensor.shape.back() / block.items * block.bytes;
}

void read_rows(const GgufTensor& tensor, int64_t begin, int64_t end, float* out) {
  const int64_t width = tensor.shape.back();
  dequantise(tensor.type, tensor.data + begin * row_bytes(tensor), (end - begin) * width, out);
}

using ReadCodes = decltype(SourceTensor::read_codes);

/// Codes of rows as they are stored, behind the first `first`; nothing for another format.
ReadCodes codes_of(const File& file, const GgufTensor& tensor, int64_t first = 0) {
  if (tensor.type != GgufType::iq4_nl || tensor.shape.size() < 2) return {};
  return [file, &tensor, first](int64_t begin, int64_t end, std::byte* out) {
    const int64_t bytes = row_bytes(tensor);
    std::copy_n(tensor.data + (first + begin) * bytes, (end - begin) * bytes, out);
  };
}

SourceTensor plain(const File& file, const GgufTensor& tensor, std::string name) {
  return {std::move(name), tensor.shape, "",
          [file, &tensor](int64_t begin, int64_t end, float* out) {
            read_rows(tensor, begin, end, out);
          },
          codes_of(file, tensor)};
}

SourceTensor in_halves(const File& file, const GgufTensor& tensor, std::string name,
                       int64_t width) {
  SourceTensor result = plain(file, tensor, std::move(name));
  const int64_t rows = tensor.shape[0];
  if (width < 2 || width % 2 != 0 || rows % width != 0) {
    result.problem = "not made of heads of " + std::to_string(width) + " rows";
  } else if (tensor.shape.size() == 1) {  // a bias: its numbers are the rows
    result.read = [file, &tensor, width](int64_t, int64_t, float* out) {
      std::vector<float> values(static_cast<std::size_t>(tensor.count));
      dequantise(tensor.type, tensor.data, tensor.count, values.data());
      for (int64_t row = 0; row < tensor.count; ++row)
        out[row] = values[static_cast<std::size_t>(gguf_row(row, width))];
    };
  } else {
    result.read = [file, &tensor, width](int64_t begin, int64_t end, float* out) {
      for (int64_t row = begin; row < end; ++row, out += tensor.shape.back()) {
        const int64_t from = gguf_row(row, width);
        read_rows(tensor, from, from + 1, out);
      }
    };
    if (result.read_codes)
      result.read_codes = [codes = result.read_codes, bytes = row_bytes(tensor), width](
                              int64_t begin, int64_t end, std::byte* out) {
        for (int64_t row = begin; row < end; ++row, out += bytes) {
          const int64_t from = gguf_row(row, width);
          codes(from, from + 1, out);
        }
      };
  }
  return result;
}

/// [n, rows, width] → n matrices.
void add_experts(const File& file, const GgufTensor& tensor, const std::string& prefix,
                 std::string_view part, std::vector<SourceTensor>& tensors) {
  const int64_t rows = tensor.shape[1];
  for (int64_t i = 0; i < tensor.shape[0]; ++i) {
    tensors.push_back(
        {prefix + "mlp.experts." + std::to_string(i) + "." + std::string(part) + ".weight",
         {rows, tensor.shape[2]},
         "",
         [file, &tensor, first = i * rows](int64_t begin, int64_t end, float* out) {
           read_rows(tensor, first + begin, first + end, out);
         },
         codes_of(file, tensor, i * rows)});
  }
}

/// k_b [heads, rank, nope] and v_b [heads, value, rank] → kv_b [heads * (nope + value), rank], a
/// head's rows being those of k_b transposed and then those of v_b.
SourceTensor joined_kv(const File& file, const GgufTensor& keys, const GgufTensor& values,
                       std::string name) {
  SourceTensor result{std::move(name), {}, "", nullptr};
  const bool fit = keys.shape.size() == 3 && values.shape.size() == 3 &&
                   keys.shape[0] == values.shape[0] && keys.shape[1] == values.shape[2];
  if (!fit) {
    result.problem = "attn_k_b and attn_v_b do not fit each other";
    return result;
  }
  const int64_t rank = keys.shape[1], nope = keys.shape[2], value = values.shape[1];
  result.shape = {keys.shape[0] * (nope + value), rank};
  result.read = [=, &keys, &values](int64_t begin, int64_t end, float* out) {
    std::vector<float> head(static_cast<std::size_t>(rank * nope));  // of `loaded`
    int64_t loaded = -1;
    for (int64_t row = begin; row < end; ++row, out += rank) {
      const int64_t at = row / (nope + value), within = row % (nope + value);
      if (within >= nope) {
        const int64_t from = at * value + within - nope;
        read_rows(values, from, from + 1, out);
        continue;
      }
      if (loaded != at) read_rows(keys, at * rank, (at + 1) * rank, head.data());
      loaded = at;
      for (int64_t i = 0; i < rank; ++i) out[i] = head[static_cast<std::size_t>(i * nope + within)];
    }
    static_cast<void>(file);  // keeps what it reads from alive
  };
  return result;
}

void add_layer_tensor(const File& file, const GgufTensor& tensor, const LayerName& name,
                      const ModelConfig& config, std::vector<SourceTensor>& tensors) {
  const std::string prefix = "model.layers." + name.layer + ".";
  const auto row = std::ranges::find(kGgufLayerNames, std::string_view(name.part), &GgufName::gguf);
  if (name.part == "exp_probs_b") {
    tensors.push_back(plain(file, tensor, prefix + "mlp.gate.e_score_correction_bias"));
  } else if (name.part == "attn_k_b") {
    const GgufTensor* values = file->tensor("blk." + name.layer + ".attn_v_b" + name.kind);
    if (values != nullptr)
      tensors.push_back(
          joined_kv(file, tensor, *values, prefix + "self_attn.kv_b_proj" + name.kind));
  } else if (name.part == "attn_v_b") {
    return;  // taken with attn_k_b
  } else if (row == kGgufLayerNames.end()) {
    tensors.push_back(plain(file, tensor, std::string(tensor.name)));
  } else if (name.part.ends_with("_exps") && tensor.shape.size() == 3 &&
             tensor.shape[0] <= config.n_routed_experts) {
    add_experts(file, tensor, prefix, row->published, tensors);
  } else if (config.family == "llama" && (name.part == "attn_q" || name.part == "attn_k")) {
    tensors.push_back(in_halves(file, tensor, prefix + std::string(row->published) + name.kind,
                                config.rotary_width()));
  } else {
    tensors.push_back(plain(file, tensor, prefix + std::string(row->published) + name.kind));
  }
}

}  // namespace

TensorSource gguf_source(const File& file, const ModelConfig& config) {
  std::vector<SourceTensor> tensors;
  for (const GgufTensor& tensor : file->contents().tensors) {
    if (tensor.name == "rope_freqs.weight") continue;  // config.json has what it says
    const LayerName name = layer_name(tensor.name);
    const auto top = std::ranges::find(kGgufTopNames, tensor.name, &GgufName::gguf);
    if (!name.part.empty()) {
      add_layer_tensor(file, tensor, name, config, tensors);
    } else {
      tensors.push_back(plain(
          file, tensor, std::string(top == kGgufTopNames.end() ? tensor.name : top->published)));
    }
  }
  return make_source(std::move(tensors), file->where());
}

}  // namespace cupel::llm
