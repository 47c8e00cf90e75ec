#include "pipeline/estimate.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cupel::pipeline {
namespace {

/// One layer of llama: 2 heads of 4 dimensions, width 8.
llm::ModelConfig one_layer() {
  llm::ModelConfig model;
  model.family = "llama";
  model.hidden_size = 8;
  model.num_hidden_layers = 1;
  model.num_attention_heads = 2;
  model.vocab_size = 100;
  model.tie_word_embeddings = false;
  return model;
}

train::Plan a_thousand_tokens() {
  train::Plan plan;
  plan.active_parameters = 5000;
  plan.tokens = 1000;
  return plan;
}

TEST(TrainingFlops, AreSixAWeightAndTokenAndAttention) {
  train::Config config;
  config.sequence_len = 16;
  // 5000 weights, 100 x 8 of them only looked up; attention: 3 · 16 · (4 + 4) · 2 heads.
  EXPECT_DOUBLE_EQ(training_flops(config, one_layer(), a_thousand_tokens()),
                   (6.0 * (5000 - 800) + 768) * 1000);
}

TEST(TrainingFlops, ATiedEmbeddingIsTheHeadsWeight) {
  train::Config config;
  config.sequence_len = 16;
  llm::ModelConfig model = one_layer();
  model.tie_word_embeddings = true;
  EXPECT_DOUBLE_EQ(training_flops(config, model, a_thousand_tokens()), (6.0 * 5000 + 768) * 1000);
}

TEST(TrainingFlops, ActivationsComputedAgainCostAThirdMore) {
  train::Config config;
  const double once = training_flops(config, one_layer(), a_thousand_tokens());
  config.gradient_checkpointing = true;
  EXPECT_DOUBLE_EQ(training_flops(config, one_layer(), a_thousand_tokens()), once * 4 / 3);
}

TEST(TrainingSeconds, AreThoseOfTheProductsAndOfTheRest) {
  EXPECT_DOUBLE_EQ(training_seconds(1e12, 1e11, 1e11), 10 + 10);
  EXPECT_DOUBLE_EQ(training_seconds(1e12, 8e11, 1e11), 1.25 + 10) << "a matrix unit for bf16";
}

TEST(MeasuredRate, IsAFiniteNumberOnEveryType) {
  ThreadPool pool(1);
  for (const Element type : {Element::f32, Element::f16, Element::bf16}) {
    const double rate = measured_rate(type, 30, pool);
    EXPECT_TRUE(std::isfinite(rate));
    EXPECT_GT(rate, 0);
  }
}

}  // namespace
}  // namespace cupel::pipeline
