// A decoder from tests/fixtures and sequences with the logits that transformers gives them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/safetensors.h"
#include "nn/llm/decoder_forward.h"
#include "nn/llm/model_files.h"

namespace cupel::llm {

/// tests/fixtures/<name>
std::filesystem::path fixture_folder(const std::string& name);

/// A decoder and a sequence with the logits that transformers gives it.
struct DecoderFixture {
  DecoderFixture(const std::string& name, const DecoderFormat& format, ThreadPool& pool)
      : config(model_config_of(fixture_folder(name))),
        weights(take_decoder_weights(tensors_of(fixture_folder(name), config), config, format, pool,
                                     name)),
        forward(config, weights, pool) {
    const Safetensors expected = Safetensors::open(fixture_folder(name) / "expected.safetensors");
    const TensorEntry *of_ids = expected.find("ids"), *of_logits = expected.find("logits");
    rows = of_ids->shape[0];
    length = of_ids->shape[1];
    std::vector<int64_t> wide(static_cast<std::size_t>(rows * length));
    std::memcpy(wide.data(), of_ids->data, static_cast<std::size_t>(of_ids->bytes));
    ids.assign(wide.begin(), wide.end());
    logits = doubles_of(*of_logits);
    if (const TensorEntry* further = expected.find("mtp_logits")) mtp_logits = doubles_of(*further);
  }

  std::span<const int32_t> sequence(int64_t row) const {
    return std::span(ids).subspan(static_cast<std::size_t>(row * length),
                                  static_cast<std::size_t>(length));
  }
  /// Logits after every token of the last extend().
  std::vector<float> all_logits(int64_t tokens) {
    std::vector<int64_t> places(static_cast<std::size_t>(tokens));
    for (int64_t i = 0; i < tokens; ++i) places[static_cast<std::size_t>(i)] = i;
    std::vector<float> out(static_cast<std::size_t>(tokens * config.vocab_size));
    forward.logits(places, out.data());
    return out;
  }
  /// Of one sequence, so many tokens at once.
  std::vector<float> in_steps_of(int64_t together, int64_t row) {
    KeyValueCache cache;
    std::vector<float> result;
    for (int64_t at = 0; at < length; at += together) {
      const auto count = static_cast<std::size_t>(std::min(together, length - at));
      const Continuation next{&cache, sequence(row).subspan(static_cast<std::size_t>(at), count)};
      forward.extend({&next, 1});
      const std::vector<float> some = all_logits(static_cast<int64_t>(count));
      result.insert(result.end(), some.begin(), some.end());
    }
    return result;
  }
  double gap(const std::vector<float>& got, int64_t row) const {
    return gap(got, logits.data() + row * length * config.vocab_size);
  }
  /// The largest difference, as a share of the largest number.
  static double gap(const std::vector<float>& got, const double* want) {
    double largest = 0, difference = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      largest = std::max(largest, std::abs(want[i]));
      difference = std::max(difference, std::abs(static_cast<double>(got[i]) - want[i]));
    }
    return difference / largest;
  }

  ModelConfig config;
  DecoderWeights weights;
  DecoderForward forward;
  int64_t rows = 0, length = 0;
  std::vector<int32_t> ids;
  std::vector<double> logits;
  std::vector<double> mtp_logits;  // [rows, length - 1, vocab_size] of a prediction layer

 private:
  static std::vector<double> doubles_of(const TensorEntry& tensor) {
    std::vector<double> values(static_cast<std::size_t>(tensor.bytes) / sizeof(double));
    std::memcpy(values.data(), tensor.data, static_cast<std::size_t>(tensor.bytes));
    return values;
  }
};

}  // namespace cupel::llm
