#include "compress/language_codes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "compress/small_language.h"
#include "data/cb4.h"
#include "data/gguf_types.h"
#include "nn/llm/decoder_forward.h"
#include "support/errors.h"

namespace cupel::compress {
namespace {

std::vector<TokenWindow> windows_of(const SmallLanguage& task, cupel::Run& run) {
  return read_windows(task.data(), task.tokenizer, 64, 20, run);
}

/// Root mean square of the change of all logits of a window, over their size.
double change(const SmallLanguage& task, const llm::TensorSource& other,
              const TokenWindow& window) {
  ThreadPool pool(2);
  std::vector<std::vector<float>> logits;
  for (const llm::TensorSource* source : {&task.source, &other}) {
    const llm::DecoderWeights weights =
        llm::take_decoder_weights(*source, task.shape(), {}, pool, "model");
    llm::DecoderForward forward(task.shape(), weights, pool);
    llm::KeyValueCache cache;
    const llm::Continuation all{&cache, window};
    forward.extend({&all, 1});
    std::vector<int64_t> rows;
    for (std::size_t i = 0; i < window.size(); ++i) rows.push_back(static_cast<int64_t>(i));
    auto& out =
        logits.emplace_back(window.size() * static_cast<std::size_t>(task.shape().vocab_size));
    forward.logits(rows, out.data());
  }
  double error = 0, size = 0;
  for (std::size_t i = 0; i < logits[0].size(); ++i) {
    error += std::pow(static_cast<double>(logits[0][i]) - logits[1][i], 2);
    size += std::pow(static_cast<double>(logits[0][i]), 2);
  }
  return std::sqrt(error / size);
}

/// The same layers, each weight's nearest code.
llm::TensorSource nearest_codes(const CodedLayers& coded, const SmallLanguage& task) {
  llm::TensorSource result = task.source;
  ThreadPool pool(1);
  for (std::size_t i = 0; i < result.tensors.size(); ++i) {
    if (!coded.source.tensors[i].read_codes) continue;
    llm::SourceTensor& tensor = result.tensors[i];
    const int64_t rows = tensor.shape[0], cols = tensor.shape[1];
    std::vector<float> weight(static_cast<std::size_t>(rows * cols));
    tensor.read(0, rows, weight.data());
    std::vector<std::byte> blocks(static_cast<std::size_t>(rows * cb4::row_bytes(cols)));
    cb4::quantise({weight.data(), rows, cols, cols}, {}, 32, blocks.data(), pool, "w");
    tensor.read = [blocks, cols](int64_t begin, int64_t end, float* out) {
      dequantise(GgufType::iq4_nl, blocks.data() + begin * cb4::row_bytes(cols),
                 (end - begin) * cols, out);
    };
  }
  return result;
}

TEST(LanguageCodes, EveryLinearLayerIsCodedAndNearerToTheModelThanNearestCodes) {
  const SmallLanguage task;
  cupel::Run run{RunOptions{}};
  const std::vector<TokenWindow> windows = windows_of(task, run);
  const CodedLayers coded = encode_layers(task.source, task.shape(), windows, 32, run, "model");
  EXPECT_EQ(coded.tensors, 2 * 7) << "q, k, v, o, gate, up, down of two layers";
  EXPECT_GT(coded.error, 0);
  EXPECT_LT(coded.error, 0.01);
  EXPECT_FALSE(coded.source.find("model.embed_tokens.weight")->read_codes);
  const double of_gptq = change(task, coded.source, windows[0]);
  EXPECT_LT(of_gptq, 0.8 * change(task, nearest_codes(coded, task), windows[0]));
}

TEST(LanguageCodes, TheSameBytesForAnyNumberOfThreads) {
  const SmallLanguage task;
  std::vector<std::vector<std::byte>> bytes;
  for (const int threads : {1, 3}) {
    cupel::Run run{RunOptions{.threads = threads}};
    const CodedLayers coded =
        encode_layers(task.source, task.shape(), windows_of(task, run), 32, run, "model");
    const llm::SourceTensor* up = coded.source.find("model.layers.1.mlp.up_proj.weight");
    auto& all = bytes.emplace_back(static_cast<std::size_t>(96 * cb4::row_bytes(64)));
    up->read_codes(0, 96, all.data());
  }
  EXPECT_EQ(bytes[0], bytes[1]);
}

TEST(LanguageCodes, AWidthWithoutWholeGroupsIsNamed) {
  const SmallLanguage task;
  cupel::Run run{RunOptions{}};
  EXPECT_THAT(
      [&] { encode_layers(task.source, task.shape(), windows_of(task, run), 128, run, "model"); },
      throws_error(ErrorKind::config,
                   "quantize.group_size: 128 does not divide the 64 inputs of "
                   "model.layers.0.self_attn.q_proj; take a smaller one"));
}

}  // namespace
}  // namespace cupel::compress
