#include "train/save_nn.h"

#include <gtest/gtest.h>

#include "data/adapter_folder.h"
#include "nn/llm/adapter_nn.h"
#include "nn/llm/load_weights_nn.h"
#include "support/files.h"
#include "support/tensors_nn.h"

namespace cupel::train {
namespace {

Tokenizer letters() {
  BpeTrainOptions options;
  options.vocab_size = 260;
  return Tokenizer::train({{{}, "a letter and another", 0}}, options);
}

TEST(SaveTrained, LeavesAWholeModelWithItsTemplate) {
  const TemporaryFolder folder;
  const auto decoder = fixture_decoder("families/llama");
  save_trained(folder.path(), {}, *decoder, letters(), ChatTemplate("{{ messages }}", "here", {}));
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json"})
    EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
  EXPECT_TRUE(std::filesystem::exists(folder / "chat_template.jinja"));
}

TEST(SaveTrained, LeavesAnAdapterThatFindsItsBaseModelFromAnywhere) {
  const TemporaryFolder folder;
  const std::filesystem::path base = fixture("families/llama");
  const auto decoder = fixture_decoder("families/llama");
  Config config;
  config.adapter = Adapter::lora;
  config.base_model = {std::filesystem::relative(base).string()};
  llm::add_adapters(*decoder, config.adapter_config(), cupel::Run(RunOptions{}), "here");
  save_trained(folder.path(), config, *decoder, letters(), std::nullopt);
  EXPECT_FALSE(std::filesystem::exists(folder / "chat_template.jinja"));
  EXPECT_TRUE(is_adapter(folder.path()));
  EXPECT_EQ(base_of_adapter(folder.path()), base);
  EXPECT_EQ(adapter_config(folder.path()).at("r", "").as_int(""), 16);
}

}  // namespace
}  // namespace cupel::train
