#include "nn/llm/generate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data/utf8.h"
#include "nn/llm/language_model.h"
#include "support/errors.h"
#include "support/random_llama.h"

namespace cupel::llm {
namespace {

/// A byte-level model with random weights and a context of 32 tokens.
struct Model {
  std::shared_ptr<const Tokenizer> tokenizer;
  ThreadPool pool{2};
  TokenModel tokens;

  explicit Model(double spread = 0.3) {
    BpeTrainOptions options;
    options.vocab_size = 260;
    const std::string text = "to be or not to be, that is the question: to be or not to be";
    tokenizer = std::make_shared<const Tokenizer>(Tokenizer::train({{{}, text, 0}}, options));
    RandomLlama llama(tokenizer->vocab_size(), spread);
    llama.config.max_position_embeddings = 32;
    tokens = token_model(
        llama.config, take_decoder_weights(llama.source, llama.config, {}, pool, "random"), pool);
  }
};

TEST(SampleToken, TakesTheFirstOfTheLargestWhenGreedy) {
  Rng rng(1, "test");
  EXPECT_EQ(sample_token(std::vector{0.5f, 2.0f, 2.0f, -1.0f}, 0, rng), 1);
}

TEST(SampleToken, DrawsFromTheSoftmaxAtItsTemperature) {
  // 20,000 draws: five standard deviations, so a false alarm in under 1e-5 of all seeds.
  Rng rng(2, "test");
  const std::vector<float> logits{0.0f, 1.0f, -INFINITY};
  int ones = 0;
  for (int i = 0; i < 20000; ++i) {
    const int32_t token = sample_token(logits, 0.5, rng);
    ASSERT_NE(token, 2);
    ones += token;
  }
  const double p = std::exp(2.0) / (1 + std::exp(2.0));
  EXPECT_NEAR(ones / 20000.0, p, 5 * std::sqrt(p * (1 - p) / 20000));
}

TEST(Generate, GivesTheSameTextForTheSameSeedAndStreamsAllOfIt) {
  const Model model;
  GenerateOptions options;
  options.max_new_tokens = 12;
  options.temperature = 1;
  options.seed = 9;
  std::string streamed;
  const std::string text =
      generate(model.tokens, *model.tokenizer, "to be", options, [&](std::string_view piece) {
        streamed += piece;
        return true;
      });
  EXPECT_EQ(generate(model.tokens, *model.tokenizer, "to be", options), text);
  EXPECT_TRUE(find_invalid_utf8(text)) << "a byte-level model with random weights";
  EXPECT_EQ(streamed, replace_invalid_utf8(text));
  options.seed = 10;
  EXPECT_NE(generate(model.tokens, *model.tokenizer, "to be", options), text);
}

TEST(Generate, EndsBeforeAStopText) {
  const Model model;
  GenerateOptions options;
  options.max_new_tokens = 20;
  const std::string whole = generate(model.tokens, *model.tokenizer, "to", options);
  ASSERT_GE(whole.size(), 4u);
  options.stop = {whole.substr(2, 2)};
  const std::string cut = generate(model.tokens, *model.tokenizer, "to", options);
  EXPECT_EQ(cut, whole.substr(0, whole.find(options.stop[0])));
}

TEST(Generate, EndsWhereTheContextEndsAndRefusesAPromptThatFillsIt) {
  const Model model;
  GenerateOptions options;
  options.max_new_tokens = 1000;
  generate(model.tokens, *model.tokenizer, "t", options);
  EXPECT_THAT([&] { generate(model.tokens, *model.tokenizer, std::string(200, 'x'), options); },
              throws_error(ErrorKind::data, "leave no room in a context of 32"));
}

TEST(Likelihood, SumsTheLogProbabilitiesOfTheTarget) {
  const Model model;
  const std::vector<int32_t> context = model.tokenizer->encode("to be"),
                             target = model.tokenizer->encode(" or not");
  const TokenSequence sequence = model.tokens.begin();
  std::vector<float> logits = sequence.extend(context);
  double want = 0;
  for (const int32_t token : target) {
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
    want += static_cast<double>(logits[static_cast<std::size_t>(token)]) - std::log(sum);
    logits = sequence.extend({&token, 1});
  }
  const Likelihood got = likelihood(model.tokens, *model.tokenizer, "to be", " or not");
  EXPECT_NEAR(got.log_likelihood, want, 1e-4);
  EXPECT_EQ(got.tokens, static_cast<int64_t>(target.size()));
}

TEST(Likelihood, WeighsEachTokenOfALongTextOnce) {
  // With all weights zero every token has the same chance, in whatever window it stands.
  const Model even(0);
  std::string text;
  for (int i = 0; i < 60; ++i) text += "question " + std::to_string(i);
  const Likelihood got = likelihood(even.tokens, *even.tokenizer, "", text);
  const auto tokens = static_cast<double>(even.tokenizer->encode(text).size());
  ASSERT_GT(tokens, 100);
  EXPECT_EQ(static_cast<double>(got.tokens), tokens);
  EXPECT_NEAR(got.log_likelihood,
              -tokens * std::log(static_cast<double>(even.tokenizer->vocab_size())), 1e-2);
}

TEST(TextTokens, ATextWithoutContextFollowsTheTokenThatBeginsTexts) {
  const Model model;
  const auto tokenizer_of = [](const std::string& bos, const std::string& eos) {
    BpeTrainOptions options;
    options.vocab_size = 260;
    options.special_tokens = {"<|endoftext|>", "<s>"};
    options.bos_token = bos;
    options.eos_token = eos;
    return Tokenizer::train({{{}, "to be or not to be", 0}}, options);
  };
  const Tokenizer both = tokenizer_of("<s>", "<|endoftext|>");
  const Tokenizer begin_alone = tokenizer_of("", "<s>");
  const Tokenizer end_alone = tokenizer_of("", "<|endoftext|>");
  const auto weigh = [&](const Tokenizer& tokenizer) {
    return likelihood(model.tokens, tokenizer, "", "to be").log_likelihood;
  };
  EXPECT_EQ(weigh(both), weigh(begin_alone));
  EXPECT_NE(weigh(both), weigh(end_alone));
  GenerateOptions options;
  options.max_new_tokens = 6;
  EXPECT_EQ(generate(model.tokens, both, "", options),
            generate(model.tokens, begin_alone, "", options));
}

TEST(Generate, EndsWhenItIsCancelled) {
  const Model model;
  GenerateOptions options;
  options.max_new_tokens = 20;
  const std::string whole = generate(model.tokens, *model.tokenizer, "to", options);
  int asked = 0;
  options.cancelled = [&] { return ++asked > 3; };
  const std::string cut = generate(model.tokens, *model.tokenizer, "to", options);
  EXPECT_EQ(asked, 4);
  EXPECT_LT(cut.size(), whole.size());
  EXPECT_TRUE(whole.starts_with(cut));
  EXPECT_EQ(model.tokens.cached_bytes(), 0) << "of a sequence that was cancelled nothing is kept";
  generate(model.tokens, *model.tokenizer, "to", {});
  EXPECT_GT(model.tokens.cached_bytes(), 0) << "one that begins alike may follow";
}

TEST(GenerateBatch, EachTextIsTheOneThatItsPromptAloneGives) {
  const Model model;
  std::vector<std::string> prompts;
  for (std::size_t i = 0; i < 45; ++i)
    prompts.push_back(std::string("to be or not to be, that is").substr(i % 7, 1 + i % 20));
  for (const double temperature : {0.0, 1.0}) {
    GenerateOptions options;
    options.max_new_tokens = 9;
    options.temperature = temperature;
    options.seed = 4;
    options.stop = {"e"};
    const auto texts = generate_batch(model.tokens, *model.tokenizer, prompts, options);
    ASSERT_EQ(texts.size(), prompts.size());
    for (std::size_t i = 0; i < prompts.size(); ++i)
      EXPECT_EQ(texts[i], generate(model.tokens, *model.tokenizer, prompts[i], options)) << i;
  }
  EXPECT_TRUE(generate_batch(model.tokens, *model.tokenizer, {}, {}).empty());
}

TEST(GenerateBatch, ACancelledOneLeavesWhatWasWrittenAndKeepsNothing) {
  const Model model;
  const std::vector<std::string> prompts(3, "to be");
  GenerateOptions options;
  options.max_new_tokens = 20;
  const std::string whole = generate_batch(model.tokens, *model.tokenizer, prompts, options)[2];
  int asked = 0;
  int64_t most = 0;
  options.cancelled = [&] {
    most = std::max(most, model.tokens.cached_bytes());
    return ++asked > 3;
  };
  const auto cut = generate_batch(model.tokens, *model.tokenizer, prompts, options);
  EXPECT_EQ(asked, 4);
  EXPECT_LT(cut[2].size(), whole.size());
  EXPECT_TRUE(whole.starts_with(cut[2]));
  EXPECT_GT(most, 0);
  EXPECT_EQ(model.tokens.cached_bytes(), 0);
}

TEST(TextTokens, APromptFollowsTheTokenizersPrefix) {
  const Model model;
  const auto end = *model.tokenizer->token_to_id("<|endoftext|>");
  const Tokenizer prefixed =
      Tokenizer::parse(model.tokenizer->json(), "tokenizer.json",
                       R"({"bos_token": "<|endoftext|>", "add_bos_token": true})");
  ASSERT_EQ(prefixed.prefix(), std::vector<int32_t>{end});
  GenerateOptions options;
  options.max_new_tokens = 6;
  EXPECT_EQ(generate(model.tokens, prefixed, "to", options),
            generate(model.tokens, *model.tokenizer, "<|endoftext|>to", options));
  EXPECT_EQ(likelihood(model.tokens, prefixed, "to", " be").log_likelihood,
            likelihood(model.tokens, *model.tokenizer, "<|endoftext|>to", " be").log_likelihood);
}

}  // namespace
}  // namespace cupel::llm
