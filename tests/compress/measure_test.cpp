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
  const std::vector<StepReport> steps =
      measure_steps({{"fp32", task.model(), nn::EncoderPrecision::fp32},
                     {"w4a8", task.model(), nn::EncoderPrecision::w4a8}},
                    rows, 10, run);
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].name, "fp32");
  EXPECT_EQ(steps[0].accuracy, 0.5);
  EXPECT_LT(steps[0].accuracy_interval[0], 0.5);
  EXPECT_GT(steps[0].accuracy_interval[1], 0.5);
  for (const StepReport& step : steps) {
    EXPECT_GT(step.latency_ms.p50, 0);
    EXPECT_GE(step.latency_ms.p95, step.latency_ms.p50);
  }
}

}  // namespace
}  // namespace cupel::compress
