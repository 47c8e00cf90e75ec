// Every family against transformers' logits, and what a token's logits must not depend on.
#include "nn/llm/decoder_forward.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/decoder_fixture.h"
#include "support/random_llama.h"

namespace cupel::llm {
namespace {

constexpr nn::NumberFormat kExact{}, kHalf{Element::bf16, nn::LinearFormat::element};

class DecoderForwardFamily : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Families, DecoderForwardFamily,
                         testing::Values("deepseek_v3_tiny/default", "deepseek_v3_tiny/yarn",
                                         "llama_tiny/default", "llama_tiny/llama3_rope",
                                         "families/deepseek_v2_greedy",
                                         "families/deepseek_v2_groups", "families/deepseek_v3",
                                         "families/llama", "families/mistral", "families/qwen2",
                                         "families/qwen3", "families/qwen3_moe",
                                         "families/qwen3_moe_step"));

TEST_P(DecoderForwardFamily, GivesTheReferencesLogits) {
  ThreadPool pool(2);
  DecoderFixture fixture(GetParam(), {kExact, kExact}, pool);
  for (int64_t row = 0; row < fixture.rows; ++row)
    EXPECT_LE(fixture.gap(fixture.in_steps_of(fixture.length, row), row), 1e-5) << row;
}

TEST_P(DecoderForwardFamily, HasTheSameBitsHoweverTokensComeAndWhateverComesBeside) {
  for (const nn::NumberFormat& format : {kExact, kHalf}) {
    ThreadPool one(1), three(3);
    DecoderFixture fixture(GetParam(), {format, format}, three),
        alone(GetParam(), {format, format}, one);
    const std::vector<float> whole = fixture.in_steps_of(fixture.length, 0);
    for (const int64_t together : {int64_t{1}, int64_t{3}, fixture.length / 2})
      EXPECT_EQ(fixture.in_steps_of(together, 0), whole) << together << " tokens at once";
    EXPECT_EQ(alone.in_steps_of(alone.length, 0), whole) << "one thread";

    // Ragged sequences beside each other, the second with some tokens behind it.
    KeyValueCache first, second;
    const auto begin = fixture.sequence(0).subspan(0, 3);
    const Continuation before{&second, begin};
    fixture.forward.extend({&before, 1});
    const Continuation both[] = {{&first, fixture.sequence(fixture.rows - 1).subspan(0, 5)},
                                 {&second, fixture.sequence(0).subspan(3, 4)}};
    fixture.forward.extend(both);
    const std::vector<float> got = fixture.all_logits(9);
    const auto width = static_cast<std::ptrdiff_t>(fixture.config.vocab_size);
    EXPECT_TRUE(std::equal(got.begin() + 5 * width, got.end(), whole.begin() + 3 * width));

    // What is forgotten leaves no trace.
    second.truncate(2);
    const Continuation again{&second, fixture.sequence(0).subspan(2, 6)};
    fixture.forward.extend({&again, 1});
    const std::vector<float> later = fixture.all_logits(6);
    EXPECT_TRUE(std::equal(later.begin(), later.end(), whole.begin() + 2 * width));
  }
}

/// Logits after the last of 40 tokens.
std::vector<float> last_logits(const RandomLlama& model, const DecoderFormat& format) {
  ThreadPool pool(2);
  const DecoderWeights weights =
      take_decoder_weights(model.source, model.config, format, pool, "random");
  DecoderForward forward(model.config, weights, pool);
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < 40; ++i) ids.push_back(i * 37 % 100);
  KeyValueCache cache;
  const Continuation all{&cache, ids};
  forward.extend({&all, 1});
  std::vector<float> out(static_cast<std::size_t>(model.config.vocab_size));
  const int64_t last = 39;
  forward.logits({&last, 1}, out.data());
  return out;
}

TEST(DecoderForward, RoundedFormatsComeAsNearAsTheirBitsAllow) {
  const nn::NumberFormat int8{Element::bf16, nn::LinearFormat::int8};
  const nn::NumberFormat cb4{Element::bf16, nn::LinearFormat::cb4, 32};
  const RandomLlama model;
  const std::vector<float> exact = last_logits(model, {kExact, kExact});
  const auto error = [&](const DecoderFormat& format) {
    const std::vector<float> got = last_logits(model, format);
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      sum += std::pow(static_cast<double>(got[i]) - exact[i], 2);
      squares += std::pow(static_cast<double>(exact[i]), 2);
    }
    return std::sqrt(sum / squares);
  };
  const double half = error({kHalf, kHalf}), eight = error({int8, int8}), four = error({cb4, int8});
  EXPECT_LT(half, 0.02);
  EXPECT_LT(eight, 0.06);
  EXPECT_LT(four, 0.35);
  EXPECT_GT(four, 2 * eight) << "the formats are the ones asked for";
}

}  // namespace
}  // namespace cupel::llm
