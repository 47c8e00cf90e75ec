#include <gtest/gtest.h>

#include "data/tokenizer/tokenizer.h"
#include "nn/llm/weights_nn.h"
#include "pipeline/heavy.h"
#include "support/files.h"
#include "support/tensors_nn.h"

namespace cupel::pipeline {
namespace {

TEST(HeavyFunctions, AreAllThere) {
  const Heavy heavy = heavy_functions();
  EXPECT_NE(heavy.train, nullptr);
  EXPECT_NE(heavy.load_model, nullptr);
  EXPECT_EQ(heavy.libraries().at("libtorch", "").as_string(""), "2.11.0");
}

TEST(HeavyFunctions, LoadAModelThatWeighsText) {
  const TemporaryFolder folder;
  BpeTrainOptions options;
  options.vocab_size = 257;
  Tokenizer::train({{{}, "to be or not to be", 0}}, options).save(folder.path());
  llm::ModelConfig config;
  config.family = "llama";
  config.vocab_size = options.vocab_size;
  config.hidden_size = 16;
  config.num_hidden_layers = 1;
  llm::Decoder decoder(config);
  fill_randomly(decoder);
  llm::save_model(folder.path(), decoder, {});
  cupel::Run run({.threads = 1});
  const LanguageModel model = heavy_functions().load_model({folder.path().string()}, run);
  EXPECT_LT(model.likelihood("to be", " or not").log_likelihood, 0);
}

}  // namespace
}  // namespace cupel::pipeline
