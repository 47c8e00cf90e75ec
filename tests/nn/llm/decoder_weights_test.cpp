#include "nn/llm/decoder_weights.h"

#include <gtest/gtest.h>

#include "support/random_llama.h"

namespace cupel::llm {
namespace {

TEST(DecoderWeights, LayersOfOneInputStandBelowEachOtherInPartsOfTheirOutputs) {
  const RandomLlama model(1100);
  ThreadPool pool(2);
  const DecoderWeights weights =
      take_decoder_weights(model.source, model.config, {}, pool, "model");
  EXPECT_EQ(weights.head.out, 1100);
  ASSERT_EQ(weights.head.parts.size(), 3u);
  EXPECT_EQ(weights.head.parts[0].out, weights.head.part_outputs);
  EXPECT_EQ(weights.head.parts[2].out, 1100 - 2 * weights.head.part_outputs);
  const SplitLinear& three = weights.layers[1].query_key_value;
  EXPECT_EQ(three.out, 64 + 2 * 32);
  EXPECT_TRUE(three.bias.empty());
  std::vector<float> keys(32 * 64);
  model.source.find("model.layers.1.self_attn.k_proj.weight")->read(0, 32, keys.data());
  const auto* stored = reinterpret_cast<const float*>(three.parts[0].weight.data());
  EXPECT_TRUE(std::equal(keys.begin(), keys.end(), stored + 64 * 64));
}

}  // namespace
}  // namespace cupel::llm
