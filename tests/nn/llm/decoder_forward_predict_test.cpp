// The prediction layer against transformers' layers, and what a guess must not depend on.
#include <gtest/gtest.h>

#include "support/decoder_fixture.h"

namespace cupel::llm {
namespace {

constexpr const char* kPredicting = "deepseek_v3_tiny/multi_token_prediction";

/// Logits [length - 1, vocab_size] of the prediction layer, so many tokens at once in both.
std::vector<float> predicted(DecoderFixture& fixture, int64_t row, int64_t extended,
                             int64_t together) {
  const std::span<const int32_t> ids = fixture.sequence(row);
  const auto width = static_cast<std::size_t>(fixture.config.hidden_size);
  KeyValueCache cache;
  std::vector<float> hidden;
  for (int64_t at = 0; at < fixture.length; at += extended) {
    const int64_t count = std::min(extended, fixture.length - at);
    const Continuation next{
        &cache, ids.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(count))};
    fixture.forward.extend({&next, 1});
    std::vector<int64_t> rows;
    for (int64_t i = 0; i < count; ++i) rows.push_back(i);
    hidden.resize(hidden.size() + rows.size() * width);
    fixture.forward.hidden(rows, hidden.data() + hidden.size() - rows.size() * width);
  }
  std::vector<float> result, logits(static_cast<std::size_t>(fixture.config.vocab_size));
  for (int64_t at = 0; at + 1 < fixture.length; at += together) {
    const auto count = static_cast<std::size_t>(std::min(together, fixture.length - 1 - at));
    fixture.forward.predict(cache, at, ids.subspan(static_cast<std::size_t>(at + 1), count),
                            hidden.data() + static_cast<std::size_t>(at) * width, logits.data());
    result.insert(result.end(), logits.begin(), logits.end());
  }
  return result;
}

TEST(PredictionLayer, GivesTheReferencesLogits) {
  ThreadPool pool(2);
  DecoderFixture fixture(kPredicting, {}, pool);
  const int64_t size = (fixture.length - 1) * fixture.config.vocab_size;
  ASSERT_EQ(static_cast<int64_t>(fixture.mtp_logits.size()), fixture.rows * size);
  for (int64_t row = 0; row < fixture.rows; ++row)
    EXPECT_LE(DecoderFixture::gap(predicted(fixture, row, fixture.length, 1),
                                  fixture.mtp_logits.data() + row * size),
              1e-5);
}

TEST(PredictionLayer, HasTheSameBitsHoweverTokensCome) {
  ThreadPool pool(3);
  DecoderFixture fixture(kPredicting, {}, pool);
  const std::vector<float> one_by_one = predicted(fixture, 0, 5, 1);
  const auto vocabulary = static_cast<std::ptrdiff_t>(fixture.config.vocab_size);
  EXPECT_EQ(predicted(fixture, 0, fixture.length, 1), one_by_one);
  const std::vector<float> at_once = predicted(fixture, 0, fixture.length, fixture.length - 1);
  EXPECT_TRUE(std::equal(at_once.begin(), at_once.end(), one_by_one.end() - vocabulary));
}

}  // namespace
}  // namespace cupel::llm
