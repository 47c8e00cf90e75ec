// Ways of generating text with a model that was trained, which must not change a token of it:
// tools/run_generation.py trains one and names it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "data/arithmetic.h"
#include "nn/llm/decoder_sequence.h"
#include "nn/llm/model_files.h"
#include "nn/llm/stored_format.h"

namespace cupel::llm {
namespace {

constexpr int64_t kNewTokens = 32;
constexpr std::size_t kTogether = 25;  // sequences of a batch

int32_t most_likely(std::span<const float> logits) {
  return static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin());
}

struct Trained {
  Trained(const std::filesystem::path& folder, int64_t count)
      : config(model_config_of(folder)),
        tokenizer(Tokenizer::load(folder)),
        weights(take_decoder_weights(tensors_of(folder, config), config, stored_format(folder),
                                     pool, folder.string())),
        forward(config, weights, pool) {
    Rng rng(1, "prompts");
    for (const Problem& problem : generate_problems(rng, count, {}))
      prompts.push_back(tokenizer.encode("Problem: " + problem.prompt));
  }

  DecoderSequence begin(const std::shared_ptr<KeptSequence>& kept, bool speculates) {
    return DecoderSequence(config, weights, forward, kept, speculates);
  }
  static std::vector<int32_t> go_on(DecoderSequence& sequence, std::span<const int32_t> ids) {
    std::vector<int32_t> written;
    while (static_cast<int64_t>(written.size()) < kNewTokens) {
      written.push_back(most_likely(sequence.extend(ids)));
      ids = std::span(written).last(1);
    }
    return written;
  }
  /// Several prompts, a token each in one pass.
  std::vector<std::vector<int32_t>> together(std::span<const std::vector<int32_t>> begun) {
    std::vector<KeyValueCache> caches(begun.size());
    std::vector<std::vector<int32_t>> written(begun.size());
    for (int64_t step = 0; step < kNewTokens; ++step) {
      std::vector<Continuation> next;
      std::vector<int64_t> places;
      int64_t rows = 0;
      for (std::size_t i = 0; i < begun.size(); ++i) {
        const auto ids = step == 0 ? std::span(begun[i]) : std::span(written[i]).last(1);
        next.push_back({&caches[i], ids});
        rows += static_cast<int64_t>(ids.size());
        places.push_back(rows - 1);
      }
      const auto vocabulary = static_cast<std::size_t>(config.vocab_size);
      std::vector<float> logits(begun.size() * vocabulary);
      forward.extend(next);
      forward.logits(places, logits.data());
      for (std::size_t i = 0; i < begun.size(); ++i)
        written[i].push_back(most_likely(std::span(logits).subspan(i * vocabulary, vocabulary)));
    }
    return written;
  }

  ThreadPool pool{2};
  ModelConfig config;
  Tokenizer tokenizer;
  DecoderWeights weights;
  DecoderForward forward;
  std::vector<std::vector<int32_t>> prompts;
};

TEST(TrainedDecoder, GuessesBatchesAndKeptPrefixesChangeNoToken) {
  const char* folder = std::getenv("CUPEL_TRAINED_MODEL");
  const char* count = std::getenv("CUPEL_PROMPTS");
  if (folder == nullptr || count == nullptr)
    GTEST_SKIP() << "CUPEL_TRAINED_MODEL and CUPEL_PROMPTS name no model and no prompts";
  Trained model(folder, std::stoll(count));
  ASSERT_GT(model.config.num_nextn_predict_layers, 0) << "nothing to guess with";
  const auto never = std::make_shared<KeptSequence>(), kept = std::make_shared<KeptSequence>();
  std::vector<std::vector<int32_t>> plain;
  int64_t guesses = 0, right = 0;
  for (const std::vector<int32_t>& prompt : model.prompts) {
    DecoderSequence alone = model.begin(never, false);
    plain.push_back(Trained::go_on(alone, prompt));
    DecoderSequence guessing = model.begin(never, true);
    ASSERT_EQ(Trained::go_on(guessing, prompt), plain.back()) << "guessed, " << plain.size();
    guesses += guessing.guesses();
    right += guessing.right_guesses();
    DecoderSequence again = model.begin(kept, true);  // goes on from the prompt before
    ASSERT_EQ(Trained::go_on(again, prompt), plain.back()) << "kept, " << plain.size();
    again.keep();
  }
  const std::span<const std::vector<int32_t>> prompts = model.prompts;
  for (std::size_t i = 0; i < plain.size(); i += kTogether) {
    const auto written = model.together(prompts.subspan(i, std::min(kTogether, plain.size() - i)));
    for (std::size_t j = 0; j < written.size(); ++j) ASSERT_EQ(written[j], plain[i + j]) << i + j;
  }
  RecordProperty("guesses", std::to_string(guesses));
  RecordProperty("right_guesses", std::to_string(right));
  EXPECT_GT(right, 0) << "both ways were gone";
  EXPECT_LT(right, guesses);
}

}  // namespace
}  // namespace cupel::llm
