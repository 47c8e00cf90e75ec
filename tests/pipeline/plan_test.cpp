#include "pipeline/plan.h"

#include <gmock/gmock.h>

#include "support/requests.h"

namespace cupel::pipeline {
namespace {

using testing::HasSubstr;

PlanReport plan_of(const std::string& recipe) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  return plan({}, request_for(folder, "plan", recipe));
}

TEST(PlanVerb, ANumberOfStepsAndAVocabularyNeedNoData) {
  const PlanReport report = plan_of(kTrainSection + "  max_steps: 7\n  micro_batch_size: 2\n");
  ASSERT_TRUE(report.stages.at(0).train);
  EXPECT_EQ(report.stages[0].train->steps, 7);
  EXPECT_EQ(report.stages[0].train->tokens, 7 * 2 * 64);
  EXPECT_GT(report.stages[0].train->planned_memory_bytes, 16 * report.stages[0].train->parameters);
  EXPECT_TRUE(report.fits);
  EXPECT_GT(report.stages[0].estimated_seconds, 0);
  EXPECT_THAT(report.text(), HasSubstr("estimated_time"));
}

TEST(PlanVerb, PassesOverTheDataAreCountedInTheData) {
  const PlanReport one = plan_of(kTrainSection),
                   three = plan_of(kTrainSection + "  num_epochs: 3\n");
  EXPECT_GT(one.stages.at(0).train->steps, 0);
  EXPECT_NEAR(static_cast<double>(three.stages.at(0).train->steps),
              static_cast<double>(3 * one.stages[0].train->steps), 3);
}

TEST(PlanVerb, AStageThatWaitsForAnotherHasNoPlanYet) {
  const PlanReport report = plan_of(
      "stages:\n  - train: {model: {}, tokenizer: {vocab_size: 300}, max_steps: 2, "
      "datasets: [{type: arithmetic}]}\n"
      "  - train: {base_model: \"${train.model}\", datasets: [{type: arithmetic}]}\n");
  EXPECT_TRUE(report.stages.at(0).train);
  EXPECT_FALSE(report.stages.at(1).train);
  EXPECT_THAT(report.text(), HasSubstr("train-2\n  nothing to plan before it begins\n"));
}

TEST(PlanVerb, SaysWhenMoreMemoryIsPlannedThanThereIs) {
  const PlanReport report = plan_of(
      "train: {model: {hidden_size: 65536, intermediate_size: 262144, num_hidden_layers: 80,"
      " num_attention_heads: 128}, tokenizer: {vocab_size: 100000}, max_steps: 1, datasets: "
      "[{type: arithmetic}]}\n");
  EXPECT_FALSE(report.fits);
  EXPECT_THAT(report.text(), HasSubstr("more memory is planned than is available: lower"));
}

}  // namespace
}  // namespace cupel::pipeline
