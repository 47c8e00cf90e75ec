#include <gtest/gtest.h>

#include "nn/llm/decoder_forward.h"
#include "support/random_llama.h"

namespace cupel::llm {
namespace {

/// Logits after the last of the tokens.
std::vector<float> logits_of(const ModelConfig& config, const TensorSource& source,
                             const std::vector<int32_t>& ids, KeyValueCache& cache) {
  ThreadPool pool(2);
  const DecoderWeights weights = take_decoder_weights(source, config, {}, pool, "random");
  DecoderForward forward(config, weights, pool);
  const Continuation all{&cache, ids};
  forward.extend({&all, 1});
  std::vector<float> out(static_cast<std::size_t>(config.vocab_size));
  const auto last = static_cast<int64_t>(ids.size()) - 1;
  forward.logits({&last, 1}, out.data());
  return out;
}

TEST(DecoderForwardAttention, ATokenBehindTheWindowOfEveryLayerChangesNothing) {
  RandomLlama model;
  model.config.sliding_window = 5;  // two layers reach back eight tokens
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < 150; ++i) ids.push_back(i * 7 % 100);
  KeyValueCache first, second, third;
  const std::vector<float> before = logits_of(model.config, model.source, ids, first);
  ids[150 - 1 - 9] = 1;
  EXPECT_EQ(logits_of(model.config, model.source, ids, second), before);
  ids[150 - 1 - 8] = 1;
  EXPECT_NE(logits_of(model.config, model.source, ids, third), before);
}

TEST(DecoderForwardAttention, TheCacheHoldsKeysAndValuesOfEachTokenAndLetsThemGo) {
  const RandomLlama model;
  KeyValueCache cache;
  logits_of(model.config, model.source, {1, 2, 3}, cache);
  EXPECT_EQ(cache.length(), 3);
  EXPECT_EQ(cache.bytes(), 3 * 2 * 2 * 32 * 4) << "layers, keys and values, width, bytes";
  cache.truncate(1);
  EXPECT_EQ(cache.length(), 1);
  EXPECT_EQ(cache.bytes(), 2 * 2 * 32 * 4);
  cache.truncate(0);
  EXPECT_EQ(cache.bytes(), 0);
}

}  // namespace
}  // namespace cupel::llm
