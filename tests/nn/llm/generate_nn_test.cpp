#include "nn/llm/generate_nn.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/utf8.h"
#include "nn/llm/weights_nn.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/tensors_nn.h"

namespace cupel::llm {
namespace {

/// A byte-level model with random weights and a context of 32 tokens.
struct Model {
  std::shared_ptr<Decoder> decoder;
  std::shared_ptr<const Tokenizer> tokenizer;

  Model() {
    BpeTrainOptions options;
    options.vocab_size = 260;
    const std::string text = "to be or not to be, that is the question: to be or not to be";
    tokenizer = std::make_shared<const Tokenizer>(Tokenizer::train({{{}, text, 0}}, options));
    ModelConfig config;
    config.family = "llama";
    config.vocab_size = tokenizer->vocab_size();
    config.hidden_size = 16;
    config.intermediate_size = 24;
    config.num_hidden_layers = 2;
    config.num_attention_heads = 2;
    config.max_position_embeddings = 32;
    config.initializer_range = 0.5;
    decoder = std::make_shared<Decoder>(config);
    decoder->initialise(Run({.seed = 3, .threads = 1}));
  }
};

TEST(SampleToken, TakesTheFirstOfTheLargestWhenGreedy) {
  Rng rng(1, "test");
  EXPECT_EQ(sample_token(at::tensor({0.5f, 2.0f, 2.0f, -1.0f}), 0, rng), 1);
}

TEST(SampleToken, DrawsFromTheSoftmaxAtItsTemperature) {
  // 20,000 draws: five standard deviations, so a false alarm in under 1e-5 of all seeds.
  Rng rng(2, "test");
  const at::Tensor logits = at::tensor({0.0f, 1.0f, -INFINITY});
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
      generate(*model.decoder, *model.tokenizer, "to be", options, [&](std::string_view piece) {
        streamed += piece;
        return true;
      });
  EXPECT_EQ(generate(*model.decoder, *model.tokenizer, "to be", options), text);
  EXPECT_TRUE(find_invalid_utf8(text)) << "a byte-level model with random weights";
  EXPECT_EQ(streamed, replace_invalid_utf8(text));
  options.seed = 10;
  EXPECT_NE(generate(*model.decoder, *model.tokenizer, "to be", options), text);
}

TEST(Generate, EndsBeforeAStopText) {
  const Model model;
  GenerateOptions options;
  options.max_new_tokens = 20;
  const std::string whole = generate(*model.decoder, *model.tokenizer, "to", options);
  ASSERT_GE(whole.size(), 4u);
  options.stop = {whole.substr(2, 2)};
  const std::string cut = generate(*model.decoder, *model.tokenizer, "to", options);
  EXPECT_EQ(cut, whole.substr(0, whole.find(options.stop[0])));
}

TEST(Generate, EndsWhereTheContextEndsAndRefusesAPromptThatFillsIt) {
  const Model model;
  GenerateOptions options;
  options.max_new_tokens = 1000;
  generate(*model.decoder, *model.tokenizer, "t", options);
  EXPECT_THAT([&] { generate(*model.decoder, *model.tokenizer, std::string(200, 'x'), options); },
              throws_error(ErrorKind::data, "leave no room in a context of 32"));
}

TEST(Likelihood, SumsTheLogProbabilitiesOfTheTarget) {
  const Model model;
  const std::vector<int32_t> context = model.tokenizer->encode("to be"),
                             target = model.tokenizer->encode(" or not");
  std::vector<int64_t> ids(context.begin(), context.end());
  ids.insert(ids.end(), target.begin(), target.end());
  at::NoGradGuard no_grad;
  const at::Tensor chances =
      at::log_softmax(model.decoder->logits(at::tensor(ids, at::kLong).unsqueeze(0))[0], -1);
  double want = 0;
  for (std::size_t i = context.size(); i < ids.size(); ++i)
    want += chances[static_cast<int64_t>(i) - 1][ids[i]].item<double>();
  const Likelihood got = likelihood(*model.decoder, *model.tokenizer, "to be", " or not");
  EXPECT_NEAR(got.log_likelihood, want, 1e-4);
  EXPECT_EQ(got.tokens, static_cast<int64_t>(target.size()));
}

TEST(Likelihood, WeighsEachTokenOfALongTextOnce) {
  // With all weights zero every token has the same chance, in whatever window it stands.
  const Model model;
  Decoder even(model.decoder->config());
  std::string text;
  for (int i = 0; i < 60; ++i) text += "question " + std::to_string(i);
  const Likelihood got = likelihood(even, *model.tokenizer, "", text);
  const auto tokens = static_cast<double>(model.tokenizer->encode(text).size());
  ASSERT_GT(tokens, 100);
  EXPECT_EQ(static_cast<double>(got.tokens), tokens);
  EXPECT_NEAR(got.log_likelihood, -tokens * std::log(static_cast<double>(even.config().vocab_size)),
              1e-2);
}

TEST(LanguageModel, IsReadFromAFolder) {
  const Model model;
  const TemporaryFolder folder;
  save_model(folder.path(), *model.decoder, {});
  model.tokenizer->save(folder.path());
  const LanguageModel loaded = load_language_model(folder.path());
  GenerateOptions options;
  options.max_new_tokens = 8;
  EXPECT_EQ(loaded.generate("to be", options, {}),
            generate(*model.decoder, *model.tokenizer, "to be", options));
  EXPECT_EQ(loaded.likelihood("to", " be").log_likelihood,
            likelihood(*model.decoder, *model.tokenizer, "to", " be").log_likelihood);
}

TEST(LanguageModel, ATextWithoutContextFollowsTheTokenThatBeginsTexts) {
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
    return likelihood(*model.decoder, tokenizer, "", "to be").log_likelihood;
  };
  EXPECT_EQ(weigh(both), weigh(begin_alone));
  EXPECT_NE(weigh(both), weigh(end_alone));
  GenerateOptions options;
  options.max_new_tokens = 6;
  EXPECT_EQ(generate(*model.decoder, both, "", options),
            generate(*model.decoder, begin_alone, "", options));
}

TEST(Generate, EndsWhenItIsCancelled) {
  const Model model;
  GenerateOptions options;
  options.max_new_tokens = 20;
  const std::string whole = generate(*model.decoder, *model.tokenizer, "to", options);
  int asked = 0;
  options.cancelled = [&] { return ++asked > 3; };
  const std::string cut = generate(*model.decoder, *model.tokenizer, "to", options);
  EXPECT_EQ(asked, 4);
  EXPECT_LT(cut.size(), whole.size());
  EXPECT_TRUE(whole.starts_with(cut));
}

TEST(LanguageModel, APromptFollowsTheTokenizersPrefix) {
  const Model model;
  const auto end = *model.tokenizer->token_to_id("<|endoftext|>");
  const Tokenizer prefixed =
      Tokenizer::parse(model.tokenizer->json(), "tokenizer.json",
                       R"({"bos_token": "<|endoftext|>", "add_bos_token": true})");
  ASSERT_EQ(prefixed.prefix(), std::vector<int32_t>{end});
  GenerateOptions options;
  options.max_new_tokens = 6;
  EXPECT_EQ(generate(*model.decoder, prefixed, "to", options),
            generate(*model.decoder, *model.tokenizer, "<|endoftext|>to", options));
  EXPECT_EQ(likelihood(*model.decoder, prefixed, "to", " be").log_likelihood,
            likelihood(*model.decoder, *model.tokenizer, "<|endoftext|>to", " be").log_likelihood);
}

}  // namespace
}  // namespace cupel::llm
