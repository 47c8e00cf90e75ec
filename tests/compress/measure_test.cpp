#include "compress/measure.h"

#include <gtest/gtest.h>

#include "compress/rows.h"
#include "compress/small_task.h"
#include "nn/classifier.h"

namespace cupel::compress {
namespace {

TEST(MeasureSteps, FindsTheShareOfRightAnswersAndTheLatencyOfEachStep) {
  const SmallTask task(40);
  cupel::Run run({});
  std::vector<nn::ClassifiedRow> rows = read_rows(task.data(), Tokenizer::load(task.model()),
                                                  nn::read_classifier_config(task.model()), run);
  // Every second row gets the label that the model answers, the others one that it does not.
  const nn::Classifier classifier = nn::Classifier::load(task.model());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::vector<int32_t>* text = &rows[i].ids;
    const std::vector<float> scores = classifier.logits({&text, 1}, run.pool());
    const auto answer = std::max_element(scores.begin(), scores.end()) - scores.begin();
    rows[i].label = i % 2 == 0 ? answer : (answer + 1) % 4;
  }
  std::vector<std::vector<int32_t>> timed;
  const TextScores eager = [&](const std::vector<int32_t>& ids) {
    timed.push_back(ids);
    return std::vector<float>(4);
  };
  const auto [steps, latency] = measure_steps({{"fp32", task.model(), nn::EncoderPrecision::fp32},
                                               {"w4a8", task.model(), nn::EncoderPrecision::w4a8}},
                                              eager, rows, 10, run);
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].accuracy, 0.5);
  EXPECT_LT(steps[0].accuracy_interval.low, 0.5);
  EXPECT_GT(steps[0].accuracy_interval.high, 0.5);
  for (const StepResult& step : steps) {
    EXPECT_GT(step.latency_ms.p50, 0);
    EXPECT_GE(step.latency_ms.p95, step.latency_ms.p50);
  }
  ASSERT_TRUE(latency);
  EXPECT_LE(latency->p50, steps[0].latency_ms.p50) << "of a function that computes nothing";
  ASSERT_GE(timed.size(), 10u);
  EXPECT_EQ(timed.back(), rows[9].ids) << "each text alone, at its own length";
}

}  // namespace
}  // namespace cupel::compress
