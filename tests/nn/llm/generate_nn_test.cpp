#include "nn/llm/generate_nn.h"

#include <gtest/gtest.h>

#include "nn/llm/adapter_nn.h"
#include "nn/llm/language_model.h"
#include "nn/llm/load_weights_nn.h"
#include "nn/llm/weights_nn.h"
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
    tokenizer = std::make_shared<const Tokenizer>(
        Tokenizer::train({{{}, "to be or not to be, that is the question", 0}}, options));
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

TEST(DecoderTokens, ReadFromAFolderSaysWhatTheDecoderInTrainingSays) {
  const Model model;
  const TokenModel tokens = token_model(model.decoder);
  const TemporaryFolder folder;
  save_model(folder.path(), *model.decoder, {});
  model.tokenizer->save(folder.path());
  ThreadPool pool(2);
  const LanguageModel loaded = load_language_model(folder.path(), {}, pool);
  GenerateOptions options;
  options.max_new_tokens = 8;
  EXPECT_EQ(loaded.generate("to be", options, {}),
            generate(tokens, *model.tokenizer, "to be", options));
  EXPECT_NEAR(loaded.likelihood("to", " be").log_likelihood,
              likelihood(tokens, *model.tokenizer, "to", " be").log_likelihood, 1e-4);
  const std::string text = "to be or not to be, that is the question, in windows of a context";
  EXPECT_NEAR(loaded.likelihood("", text).log_likelihood,
              likelihood(tokens, *model.tokenizer, "", text).log_likelihood, 1e-2);
}

TEST(DecoderTokens, OfAnAdapterIsItsBaseModelWithTheAdapterMerged) {
  const Model model;
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "base");
  save_model(folder / "base", *model.decoder, {});
  model.tokenizer->save(folder / "base");
  const AdapterConfig adapter;
  const cupel::Run run(RunOptions{.seed = 5, .threads = 1});
  add_adapters(*model.decoder, adapter, run, "here");
  {
    at::NoGradGuard no_grad;
    for (const auto& item : model.decoder->named_parameters())
      if (item.key().ends_with("lora_B.weight")) item.value().fill_(0.05);
  }
  std::filesystem::create_directory(folder / "adapter");
  save_adapters(folder / "adapter", *model.decoder, adapter, (folder / "base").string());
  merge_adapters(*model.decoder);
  EXPECT_NEAR(load_adapted_model(folder / "adapter").likelihood("to", " be").log_likelihood,
              likelihood(token_model(model.decoder), *model.tokenizer, "to", " be").log_likelihood,
              1e-4);
}

}  // namespace
}  // namespace cupel::llm
