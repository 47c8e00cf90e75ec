#include "nn/llm/weights_nn.h"

#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "nn/llm/load_weights_nn.h"
#include "support/files.h"
#include "support/tensors_nn.h"

namespace cupel::llm {
namespace {

constexpr const char* kSavedFixture = "deepseek_v3_tiny/multi_token_prediction";

TEST(Weights, WritesWhatItReadUnderTheSameNames) {
  const auto decoder = fixture_decoder(kSavedFixture);
  const TemporaryFolder folder;
  save_model(folder.path(), *decoder, {});
  const Safetensors before = Safetensors::open(fixture(kSavedFixture) / "model.safetensors");
  const Safetensors after = Safetensors::open(folder / "model.safetensors");
  ASSERT_EQ(before.tensors().size(), after.tensors().size());
  for (const TensorEntry& entry : before.tensors()) {
    ASSERT_NE(after.find(entry.name), nullptr) << entry.name;
    EXPECT_TRUE(at::equal(read_tensor(before, entry.name), read_tensor(after, entry.name)))
        << entry.name;
  }
}

TEST(Weights, GivesTheSameLogitsAfterBeingWrittenAndRead) {
  const auto decoder = fixture_decoder(kSavedFixture);
  const TemporaryFolder folder;
  save_model(folder.path(), *decoder, {});
  Decoder again(read_model_config(folder / "config.json"));
  load_weights(folder.path(), again);
  const at::Tensor ids = at::arange(12, at::kLong).unsqueeze(0);
  EXPECT_TRUE(at::equal(decoder->logits(ids), again.logits(ids)));
}

TEST(Weights, WritesTheTokensThatBeginAndEndAText) {
  const auto decoder = fixture_decoder(kSavedFixture);
  const TemporaryFolder folder;
  save_model(folder.path(), *decoder, {.bos = 3, .eos = 7});
  json::Value config = json::parse(read_file(folder / "config.json"), "");
  EXPECT_EQ(config.at("bos_token_id", "").as_int(""), 3);
  EXPECT_EQ(config.at("eos_token_id", "").as_int(""), 7);
  save_model(folder.path(), *decoder, {});
  config = json::parse(read_file(folder / "config.json"), "");
  EXPECT_TRUE(config.at("bos_token_id", "").is_null() && config.at("eos_token_id", "").is_null());
}

}  // namespace
}  // namespace cupel::llm
