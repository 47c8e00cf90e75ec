#include "nn/llm/language_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/errors.h"
#include "support/files.h"
#include "support/random_llama.h"

namespace cupel::llm {
namespace {

TokenModel random_model(ThreadPool& pool) {
  const RandomLlama llama;
  return token_model(llama.config,
                     take_decoder_weights(llama.source, llama.config, {}, pool, "random"), pool);
}

TEST(TokenModel, SequencesGoOnIndependently) {
  ThreadPool pool(2);
  const TokenModel model = random_model(pool);
  const std::vector<int32_t> ids{5, 17, 80, 3};
  const std::vector<float> whole = model.begin().extend(ids);
  const TokenSequence one = model.begin(), other = model.begin();
  one.extend(std::span(ids).first(2));
  other.extend(std::vector<int32_t>{9});
  EXPECT_EQ(one.extend(std::span(ids).subspan(2)), whole);
  EXPECT_NE(other.extend(std::span(ids).subspan(2)), whole);
}

TEST(TokenModel, ALikelihoodIsTheSumOverTheTokensFromTheFirstOn) {
  ThreadPool pool(2);
  const TokenModel model = random_model(pool);
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < 600; ++i) ids.push_back(i * 31 % 100);  // more than goes through at once
  const double all = model.log_likelihood(ids, 1), later = model.log_likelihood(ids, 550);
  const TokenSequence sequence = model.begin();
  double before = 0, behind = 0;
  for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
    const std::vector<float> logits = sequence.extend({&ids[i], 1});
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
    const double chance =
        static_cast<double>(logits[static_cast<std::size_t>(ids[i + 1])]) - std::log(sum);
    (i + 1 < 550 ? before : behind) += chance;
  }
  EXPECT_NEAR(all, before + behind, 1e-6 * std::abs(before));
  EXPECT_NEAR(later, behind, 1e-6 * std::abs(behind));
}

TEST(LoadLanguageModel, AFolderWithoutAModelIsRefused) {
  const TemporaryFolder folder;
  ThreadPool pool(1);
  EXPECT_THAT([&] { load_language_model(folder.path(), {}, pool); },
              throws_error(ErrorKind::config, ""));
}

}  // namespace
}  // namespace cupel::llm
