#include "nn/llm/decoder_sequence.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "support/decoder_fixture.h"

namespace cupel::llm {
namespace {

/// A tiny DeepSeek with a prediction layer, and sequences that it goes on with.
struct Predicting {
  ThreadPool pool{2};
  DecoderFixture model{"deepseek_v3_tiny/multi_token_prediction", {}, pool};
  std::shared_ptr<KeptSequence> kept = std::make_shared<KeptSequence>();

  Predicting() { model.config.max_position_embeddings = 2000; }
  DecoderSequence begin(bool speculates = true) {
    return DecoderSequence(model.config, model.weights, model.forward, kept, speculates);
  }
  std::vector<int32_t> prompt(uint64_t seed, int64_t size) const {
    Rng rng(seed, "prompt");
    std::vector<int32_t> ids;
    for (int64_t i = 0; i < size; ++i)
      ids.push_back(
          static_cast<int32_t>(rng.below(static_cast<uint64_t>(model.config.vocab_size))));
    return ids;
  }
};

struct Written {
  std::vector<int32_t> ids;
  std::vector<float> last;
  int64_t guesses = 0, right = 0;
};

/// Tokens of the largest logits behind `ids`.
Written go_on(DecoderSequence& sequence, std::vector<int32_t> ids, int64_t tokens) {
  Written written;
  for (int64_t i = 0; i < tokens; ++i) {
    written.last = sequence.extend(ids);
    ids = {static_cast<int32_t>(std::ranges::max_element(written.last) - written.last.begin())};
    written.ids.push_back(ids[0]);
  }
  written.guesses = sequence.guesses();
  written.right = sequence.right_guesses();
  return written;
}

TEST(DecoderSequence, GuessingAheadChangesNoToken) {
  Predicting model;
  int64_t guesses = 0, right = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const std::vector<int32_t> prompt = model.prompt(seed, 1 + static_cast<int64_t>(seed) % 9);
    DecoderSequence guessing = model.begin(), plain = model.begin(false);
    const Written got = go_on(guessing, prompt, 32), want = go_on(plain, prompt, 32);
    ASSERT_EQ(got.ids, want.ids) << "prompt " << seed;
    ASSERT_EQ(got.last, want.last) << "prompt " << seed;
    ASSERT_EQ(want.guesses, 0);
    guesses += got.guesses;
    right += got.right;
  }
  EXPECT_GT(right, 0) << "both ways were gone";
  EXPECT_LT(right, guesses);
}

TEST(DecoderSequence, AGuessGoesThroughTheDecoderBesideTheTokenBeforeIt) {
  Predicting model;
  const std::vector<int32_t> prompt = model.prompt(1, 4);
  DecoderSequence first = model.begin();
  const std::vector<float> logits = first.extend(prompt);
  const int64_t of_token = first.bytes() / 4;
  const auto token = static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin());
  first.extend({&token, 1});
  EXPECT_EQ(first.guesses(), 1);
  EXPECT_EQ(first.bytes(), 6 * of_token) << "the guess stands behind the fifth token";
}

TEST(DecoderSequence, GuessesThatAreNeverRightStop) {
  Predicting model;
  DecoderSequence sequence = model.begin();
  sequence.extend(model.prompt(3, 2));
  Rng rng(5, "tokens");
  for (int i = 0; i < 60; ++i) {
    const auto token =
        static_cast<int32_t>(rng.below(static_cast<uint64_t>(model.model.config.vocab_size)));
    sequence.extend({&token, 1});
  }
  EXPECT_EQ(sequence.guesses(), 32);
}

TEST(DecoderSequence, WhatWasKeptChangesNoToken) {
  for (const bool speculates : {false, true}) {
    Predicting model;
    const std::vector<int32_t> prompt = model.prompt(7, 9);
    DecoderSequence fresh = model.begin(speculates);
    const Written want = go_on(fresh, prompt, 20);
    for (const std::size_t common :
         {std::size_t{1}, std::size_t{2}, std::size_t{6}, prompt.size()}) {
      std::vector<int32_t> before(prompt.begin(),
                                  prompt.begin() + static_cast<std::ptrdiff_t>(common));
      before.push_back((prompt.back() + 1) % 100);
      DecoderSequence other = model.begin(speculates);
      go_on(other, before, 12);
      other.keep();
      DecoderSequence again = model.begin(speculates);
      const Written got = go_on(again, prompt, 20);
      ASSERT_EQ(got.ids, want.ids) << common << " tokens in common";
      ASSERT_EQ(got.last, want.last) << common << " tokens in common";
    }
  }
}

TEST(DecoderSequence, GoesOnFromAWholeConversation) {
  Predicting model;
  const std::vector<int32_t> prompt = model.prompt(11, 700), more = model.prompt(12, 5);
  DecoderSequence first = model.begin();
  go_on(first, prompt, 3);
  const Written turn = go_on(first, more, 10);
  first.keep();
  EXPECT_EQ(static_cast<int64_t>(model.kept->ids.size()), 700 + 3 + 5 + 10 - 2)
      << "the last token of each turn was never given back";
  std::vector<int32_t> whole = model.kept->ids;
  DecoderSequence second = model.begin();
  second.extend(whole);
  EXPECT_EQ(model.kept->cache.bytes(), 0) << "it was taken, not copied";
  DecoderSequence plain = model.begin(false);
  plain.extend(whole);
  EXPECT_EQ(go_on(second, {turn.ids.back()}, 5).ids, go_on(plain, {turn.ids.back()}, 5).ids);
}

}  // namespace
}  // namespace cupel::llm
