// Against what a run takes: classify_nn_test.cpp.
#include <gtest/gtest.h>

#include "support/errors.h"
#include "train/classify.h"

namespace cupel::train {
namespace {

/// A classifier of 2 layers, 32 wide.
nn::ClassifierConfig small_classifier() {
  nn::ClassifierConfig model;
  model.encoder = {.vocab_size = 1000,
                   .hidden_size = 32,
                   .num_hidden_layers = 2,
                   .num_attention_heads = 4,
                   .intermediate_size = 64};
  model.labels = {"a", "b"};
  return model;
}

TEST(ClassifyPlan, CountsWeightsGradientsMomentsAndSteps) {
  Config config;
  config.num_epochs = 2;
  config.gradient_accumulation_steps = 2;
  const nn::ClassifierConfig model = small_classifier();
  const int64_t parameters = nn::parameter_count(model);
  const Plan full = plan_classifier(config, model, nn::Precision::fp32, {10, 8, 16, 100.25});
  EXPECT_EQ(full.parameters, parameters);
  EXPECT_EQ(full.steps, 10);
  EXPECT_EQ(full.tokens, 10 * 2 * 100);
  EXPECT_EQ(full.weight_bytes, 4 * parameters);
  EXPECT_EQ(full.gradient_bytes, 4 * parameters);
  EXPECT_EQ(full.optimizer_bytes, 8 * parameters);
  EXPECT_EQ(full.planned_memory_bytes,
            full.weight_bytes + full.gradient_bytes + full.optimizer_bytes + full.activation_bytes);
  const Plan half = plan_classifier(config, model, nn::Precision::bf16, {10, 8, 16, 100.25});
  EXPECT_EQ(half.weight_bytes, 4 * parameters + 2 * 2 * (4 * 32 * 32 + 2 * 32 * 64));
  EXPECT_LT(half.activation_bytes, full.activation_bytes);
  config.gradient_checkpointing = true;
  const Plan less = plan_classifier(config, model, nn::Precision::fp32, {10, 8, 16, 100.25});
  EXPECT_LT(less.activation_bytes, full.activation_bytes);
  const Plan two = plan_classifier(config, model, nn::Precision::fp32, {10, 8, 16, 100.25}, {}, 2);
  EXPECT_EQ(two.world_size, 2);
  EXPECT_EQ(two.gradient_bytes, 8 * parameters) << "a bucket holds all of them";
}

TEST(ClassifyPlan, RefusesWhatCannotBeAddedUp) {
  Config config;
  const nn::ClassifierConfig model = small_classifier();
  EXPECT_THAT(
      [&] {
        plan_classifier(config, model, nn::Precision::fp32, {1, INT64_C(1) << 40, 1 << 20, 1});
      },
      throws_error(ErrorKind::config, "needs more than 1e18 bytes"));
  config.max_steps = INT64_C(1) << 40;
  EXPECT_THAT(
      [&] {
        plan_classifier(config, model, nn::Precision::fp32, {1, 8, 8, 1e9});
      },
      throws_error(ErrorKind::config, "more than 9e18 tokens"));
}

}  // namespace
}  // namespace cupel::train
