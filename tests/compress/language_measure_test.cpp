#include "compress/language_measure.h"

#include <gtest/gtest.h>

#include <cmath>

#include "compress/small_language.h"
#include "nn/llm/language_model.h"
#include "nn/llm/stored_format.h"

namespace cupel::compress {
namespace {

TEST(LanguageMeasure, IsNothingAgainstItselfAndMoreForRoundedWeights) {
  const SmallLanguage task;
  cupel::Run run{RunOptions{}};
  const std::vector<TokenWindow> windows = read_windows(task.data(), task.tokenizer, 64, 6, run);
  const std::vector<LanguageReport> reports =
      measure_language({{"fp32", task.model(), {}},
                        {"again", task.model(), {}},
                        {"w4a8", task.model(), llm::w4a8_format(32)}},
                       windows, 2, run);
  ASSERT_EQ(reports.size(), 3u);
  EXPECT_EQ(reports[1].kl_divergence, 0);
  EXPECT_EQ(reports[1].top1_agreement, 1);
  EXPECT_EQ(reports[1].perplexity, reports[0].perplexity);
  EXPECT_GT(reports[2].kl_divergence, 0);
  EXPECT_LE(reports[2].kl_interval[0], reports[2].kl_divergence);
  EXPECT_GE(reports[2].kl_interval[1], reports[2].kl_divergence);
  EXPECT_LT(reports[2].top1_agreement, 1);
  EXPECT_GT(reports[2].prefill_tokens_per_second, 0);

  // The perplexity is that of the model as eval weighs it.
  const llm::TokenModel model = llm::token_model(
      task.shape(), llm::take_decoder_weights(task.source, task.shape(), {}, run.pool(), "model"),
      run.pool());
  double nats = 0;
  int64_t tokens = 0;
  for (const TokenWindow& window : windows) {
    nats -= model.log_likelihood(window, 1);
    tokens += static_cast<int64_t>(window.size()) - 1;
  }
  EXPECT_EQ(reports[0].tokens, tokens);
  EXPECT_NEAR(reports[0].perplexity / std::exp(nats / static_cast<double>(tokens)), 1, 1e-9);
}

}  // namespace
}  // namespace cupel::compress
