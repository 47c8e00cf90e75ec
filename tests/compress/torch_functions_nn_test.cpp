#include "compress/torch_functions_nn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/classifier.h"
#include "support/files.h"

namespace cupel::compress {
namespace {

TEST(TorchFunctions, TimesTheClassifierThatItIsGiven) {
  const TorchFunctions torch = torch_functions();
  EXPECT_TRUE(torch.recover);
  const TextScores scores = torch.eager_classifier(fixture("classify"), 1);
  const std::vector<int32_t> ids{2, 5, 9, 3}, *text = &ids;
  ThreadPool pool(1);
  const nn::Classifier ours = nn::Classifier::load(fixture("classify"), nn::EncoderPrecision::fp32);
  EXPECT_THAT(scores(ids),
              testing::Pointwise(testing::FloatNear(1e-5f), ours.logits({&text, 1}, pool)));
}

}  // namespace
}  // namespace cupel::compress
