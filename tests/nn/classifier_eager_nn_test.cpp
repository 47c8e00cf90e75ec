#include "nn/classifier_eager_nn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/classifier.h"
#include "support/files.h"

namespace cupel::nn {
namespace {

TEST(EagerClassifier, GivesTheScoresOfOurOwnPass) {
  const std::filesystem::path folder = fixture("classify");
  const EagerClassifier eager(read_classifier_model(folder));
  const Classifier ours = Classifier::load(folder, EncoderPrecision::fp32);
  ThreadPool pool(1);
  for (const std::vector<int32_t>& ids : {std::vector<int32_t>{2, 5, 7, 9, 11, 3}, {2, 3}, {4}}) {
    const std::vector<int32_t>* text = &ids;
    EXPECT_THAT(eager.logits(ids),
                testing::Pointwise(testing::FloatNear(1e-5f), ours.logits({&text, 1}, pool)))
        << ids.size() << " tokens";
  }
}

}  // namespace
}  // namespace cupel::nn
