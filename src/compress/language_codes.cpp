#include "compress/language_codes.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/error.h"
#include "compress/gptq.h"
#include "data/cb4.h"
#include "data/gguf_types.h"
#include "nn/llm/decoder_forward.h"

namespace cupel::compress {
namespace {

constexpr int64_t kMomentBytes = int64_t{2} << 30;

/// Second moments of what linear layers are given, by the name of their first tensor.
using Moments = std::map<std::string, HessianSum>;

int64_t moment_bytes(const llm::DecoderLayer& layer) {
  int64_t bytes = 0;
  for (const llm::SplitLinear* linear : llm::linears_of(layer))
    bytes += linear->in * linear->in * static_cast<int64_t>(sizeof(double));
  return bytes;
}

void require_groups(const llm::DecoderWeights& weights, int64_t group) {
  for (const llm::DecoderLayer& layer : weights.layers)
    for (const llm::SplitLinear* linear : llm::linears_of(layer))
      if (linear->in % group != 0)
        fail(
            ErrorKind::config, "quantize.group_size",
            std::to_string(group) + " does not divide the " + std::to_string(linear->in) +
                " inputs of " + linear->pieces.front().name,
            group > 32 ? "take a smaller one" : "4-bit codes need widths that are multiples of 32");
}

/// Σ over rows of wᵀ·H·w / 2: the size of the output on the activations of H.
double output_size(View<const float> weight, View<const double> upper, ThreadPool& pool) {
  std::vector<double> sizes(static_cast<std::size_t>(weight.rows));
  pool.parallel_for(weight.rows, 8, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* w = weight.data + row * weight.stride;
      double sum = 0;
      for (int64_t i = 0; i < weight.cols; ++i) {
        double inner = upper(i, i) * static_cast<double>(w[i]) / 2;
        for (int64_t j = i + 1; j < weight.cols; ++j)
          inner += upper(i, j) * static_cast<double>(w[j]);
        sum += static_cast<double>(w[i]) * inner;
      }
      sizes[static_cast<std::size_t>(row)] = sum;
    }
  });
  double total = 0;
  for (const double size : sizes) total += size;
  return total;
}

class Encoder {
 public:
  Encoder(const llm::TensorSource& source, const llm::ModelConfig& config, int64_t group, Run& run,
          const std::string& where)
      : config_(config),
        group_(group),
        run_(run),
        where_(where),
        weights_(llm::take_decoder_weights(source, config, {}, run.pool(), where)) {
    result_.source = source;
    require_groups(weights_, group);
  }

  CodedLayers encode(const std::vector<TokenWindow>& windows) {
    const std::size_t layers = weights_.layers.size();
    for (std::size_t begin = 0; begin < layers;) {
      std::size_t end = begin;
      for (int64_t bytes = 0; end < layers; ++end) {
        bytes += moment_bytes(weights_.layers[end]);
        if (end > begin && bytes > kMomentBytes) break;
      }
      const Moments moments = calibrate(windows, begin, end);
      for (std::size_t layer = begin; layer < end; ++layer) {
        for (const llm::SplitLinear* linear : llm::linears_of(weights_.layers[layer]))
          encode_linear(*linear, moments.at(linear->pieces.front().name));
        run_.progress(static_cast<int64_t>(layer) + 1, static_cast<int64_t>(layers),
                      "layers in codes");
      }
      begin = end;
    }
    result_.error = size_ > 0 ? error_ / size_ : 0;
    return std::move(result_);
  }

 private:
  Moments calibrate(const std::vector<TokenWindow>& windows, std::size_t begin, std::size_t end) {
    Moments moments;
    for (std::size_t layer = begin; layer < end; ++layer)
      for (const llm::SplitLinear* linear : llm::linears_of(weights_.layers[layer]))
        moments.emplace(linear->pieces.front().name, linear->in);
    llm::DecoderForward forward(config_, weights_, run_.pool());
    forward.watch([&](const llm::SplitLinear& linear, const float* x, int64_t rows) {
      const auto found = moments.find(linear.pieces.front().name);
      if (found != moments.end()) found->second.add({x, rows, linear.in, linear.in}, run_.pool());
    });
    for (std::size_t i = 0; i < windows.size(); ++i) {
      run_.stop_if_asked();
      llm::KeyValueCache cache;
      const llm::Continuation all{&cache, windows[i]};
      forward.extend({&all, 1});
      run_.progress(
          static_cast<int64_t>(i) + 1, static_cast<int64_t>(windows.size()),
          "calibration of layers " + std::to_string(begin) + " to " + std::to_string(end - 1));
    }
    return moments;
  }

  void encode_linear(const llm::SplitLinear& linear, const HessianSum& moments) {
    for (const llm::SplitLinear::Piece& piece : linear.pieces) {
      run_.stop_if_asked();
      llm::SourceTensor& tensor = tensor_named(piece.name + ".weight");
      std::vector<float> weight(static_cast<std::size_t>(piece.out * linear.in));
      tensor.read(0, piece.out, weight.data());
      const View<const float> view{weight.data(), piece.out, linear.in, linear.in};
      const int64_t bytes = cb4::row_bytes(linear.in);
      const auto blocks =
          std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(piece.out * bytes));
      error_ += gptq(view, moments.upper(), {.group = group_}, blocks->data(), run_.pool(),
                     where_ + ": " + tensor.name)
                    .error;
      size_ += output_size(view, moments.upper(), run_.pool());
      tensor.read_codes = [blocks, bytes](int64_t begin, int64_t end, std::byte* out) {
        std::copy_n(blocks->data() + begin * bytes, (end - begin) * bytes, out);
      };
      tensor.read = [blocks, bytes, in = linear.in](int64_t begin, int64_t end, float* out) {
        dequantise(GgufType::iq4_nl, blocks->data() + begin * bytes, (end - begin) * in, out);
      };
      ++result_.tensors;
    }
  }

  llm::SourceTensor& tensor_named(const std::string& name) {
    const auto found = std::ranges::find(result_.source.tensors, name, &llm::SourceTensor::name);
    CUPEL_ASSERT(found != result_.source.tensors.end());
    return *found;
  }

  const llm::ModelConfig& config_;
  int64_t group_;
  Run& run_;
  const std::string& where_;
  llm::DecoderWeights weights_;
  CodedLayers result_;
  double error_ = 0, size_ = 0;
};

}  // namespace

CodedLayers encode_layers(const llm::TensorSource& source, const llm::ModelConfig& config,
                          const std::vector<TokenWindow>& windows, int64_t group, Run& run,
                          const std::string& where) {
  const auto section = run.section("quantize");
  return Encoder(source, config, group, run, where).encode(windows);
}

}  // namespace cupel::compress
