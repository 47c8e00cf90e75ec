#include "augment/embeddings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cupel::augment {
namespace {

TEST(EmbeddingConfig, StepsAndTheirSizeFollowFromMethodAndEpsilon) {
  EmbeddingConfig config;
  config.epsilon = 0.2;
  EXPECT_EQ(config.resolved_steps(), 1);
  EXPECT_EQ(config.resolved_step_size(), 0.2);
  config.method = EmbeddingMethod::pgd;
  EXPECT_EQ(config.resolved_steps(), 7);
  EXPECT_DOUBLE_EQ(config.resolved_step_size(), 0.5 / 7);
  config.method = EmbeddingMethod::freelb;
  EXPECT_EQ(config.resolved_steps(), 3);
  config.steps = 2;
  config.step_size = 0.03;
  EXPECT_EQ(config.resolved_steps(), 2);
  EXPECT_EQ(config.resolved_step_size(), 0.03);
}

TEST(EmbeddingConfig, TellsWhatAStepCostsOverAPlainOne) {
  EmbeddingConfig config;
  EXPECT_DOUBLE_EQ(config.cost(), 5.0 / 3);
  config.method = EmbeddingMethod::pgd;
  config.steps = 3;
  EXPECT_DOUBLE_EQ(config.cost(), 3);
  config.method = EmbeddingMethod::freelb;
  EXPECT_DOUBLE_EQ(config.cost(), 3);
  config.epsilon = 0;
  EXPECT_DOUBLE_EQ(config.cost(), 1);
}

TEST(EmbeddingConfig, TellsWhatStandsInMemoryBesideAPass) {
  EmbeddingConfig config;
  EXPECT_EQ(config.memory().embeddings, 2);
  EXPECT_FALSE(config.memory().gradients_stand);
  config.method = EmbeddingMethod::freelb;
  EXPECT_EQ(config.memory().embeddings, 3);
  EXPECT_TRUE(config.memory().gradients_stand);
  config.steps = 1;
  EXPECT_FALSE(config.memory().gradients_stand) << "there is no second pass";
  config.epsilon = 0;
  EXPECT_EQ(config.memory().embeddings, 0);
}

TEST(EmbeddingConfig, StepsOfFgsmAreAProblem) {
  EmbeddingConfig config;
  EXPECT_TRUE(config.problems().empty());
  config.steps = 2;
  EXPECT_EQ(config.problems().size(), 1u);
  config.method = EmbeddingMethod::freelb;
  EXPECT_TRUE(config.problems().empty());
}

}  // namespace
}  // namespace cupel::augment
