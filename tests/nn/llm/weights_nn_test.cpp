#include "nn/llm/weights_nn.h"

#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/tensors_nn.h"

namespace cupel::llm {
namespace {

constexpr const char* kFixture = "deepseek_v3_tiny/multi_token_prediction";

TEST(Weights, WritesWhatItReadUnderTheSameNames) {
  const auto decoder = fixture_decoder(kFixture);
  const TemporaryFolder folder;
  save_model(folder.path(), *decoder, {});
  const Safetensors before = Safetensors::open(fixture(kFixture) / "model.safetensors");
  const Safetensors after = Safetensors::open(folder / "model.safetensors");
  ASSERT_EQ(before.tensors().size(), after.tensors().size());
  for (const TensorEntry& entry : before.tensors()) {
    ASSERT_NE(after.find(entry.name), nullptr) << entry.name;
    EXPECT_TRUE(at::equal(read_tensor(before, entry.name), read_tensor(after, entry.name)))
        << entry.name;
  }
}

TEST(Weights, GivesTheSameLogitsAfterBeingWrittenAndRead) {
  const auto decoder = fixture_decoder(kFixture);
  const TemporaryFolder folder;
  save_model(folder.path(), *decoder, {});
  Decoder again(read_model_config(folder / "config.json"));
  load_weights(folder.path(), again);
  const at::Tensor ids = at::arange(12, at::kLong).unsqueeze(0);
  EXPECT_TRUE(at::equal(decoder->logits(ids), again.logits(ids)));
}

/// The fixture's tensors with one changed, written to a folder.
void write_changed(const TemporaryFolder& folder,
                   const std::function<void(std::vector<TensorEntry>&)>& change) {
  const Safetensors file = Safetensors::open(fixture(kFixture) / "model.safetensors");
  std::vector<TensorEntry> tensors = file.tensors();
  change(tensors);
  write_safetensors(folder / "model.safetensors", std::move(tensors));
}

TEST(Weights, RefusesAFolderThatLacksOrAddsATensorAndFillsNothing) {
  const auto decoder = fixture_decoder(kFixture);
  const at::Tensor head = decoder->named_parameters()["lm_head.weight"];
  const at::Tensor before = head.clone();
  const TemporaryFolder folder;
  write_changed(folder, [](std::vector<TensorEntry>& tensors) {
    for (TensorEntry& entry : tensors) {
      if (entry.name == "model.norm.weight") entry.name = "model.morn.weight";
    }
  });
  EXPECT_THAT([&] { load_weights(folder.path(), *decoder); },
              throws_error(ErrorKind::data, "missing model.norm.weight"));
  EXPECT_THAT([&] { load_weights(folder.path(), *decoder); },
              throws_error(ErrorKind::data, "unexpected model.morn.weight"));
  EXPECT_TRUE(at::equal(head, before));
}

TEST(Weights, NamesTheShapeThatDoesNotFit) {
  const auto decoder = fixture_decoder(kFixture);
  const TemporaryFolder folder;
  write_changed(folder, [](std::vector<TensorEntry>& tensors) {
    for (TensorEntry& entry : tensors) {
      if (entry.name == "lm_head.weight") entry.shape = {entry.shape[1], entry.shape[0]};
    }
  });
  EXPECT_THAT(
      [&] { load_weights(folder.path(), *decoder); },
      throws_error(ErrorKind::data, "lm_head.weight is [48, 131], config.json says [131, 48]"));
}

TEST(Weights, TakesSixteenBitFilesAndIgnoresRepeatedHeads) {
  const auto decoder = fixture_decoder(kFixture);
  const at::Tensor head = decoder->named_parameters()["lm_head.weight"].detach().clone();
  const at::Tensor half = head.to(at::kBFloat16);
  const TemporaryFolder folder;
  write_changed(folder, [&](std::vector<TensorEntry>& tensors) {
    for (TensorEntry& entry : tensors) {
      if (entry.name != "lm_head.weight") continue;
      entry.dtype = Dtype::bf16;
      entry.data = static_cast<const std::byte*>(half.const_data_ptr());
      entry.bytes /= 2;
    }
    TensorEntry repeated = tensors.front();
    repeated.name = "model.layers.3.shared_head.head.weight";
    tensors.push_back(repeated);
  });
  load_weights(folder.path(), *decoder);
  EXPECT_TRUE(at::equal(decoder->named_parameters()["lm_head.weight"], half.to(at::kFloat)));
}

TEST(Weights, WritesTheTokensThatBeginAndEndAText) {
  const auto decoder = fixture_decoder(kFixture);
  const TemporaryFolder folder;
  save_model(folder.path(), *decoder, {.bos = 3, .eos = 7});
  json::Value config = json::parse(read_file(folder / "config.json"), "");
  EXPECT_EQ(config.at("bos_token_id", "").as_int(""), 3);
  EXPECT_EQ(config.at("eos_token_id", "").as_int(""), 7);
  save_model(folder.path(), *decoder, {});
  config = json::parse(read_file(folder / "config.json"), "");
  EXPECT_TRUE(config.at("bos_token_id", "").is_null() && config.at("eos_token_id", "").is_null());
}

/// What load_weights says of the fixture with one more tensor of this name.
std::string problem_with(const std::string& name) {
  const auto decoder = fixture_decoder(kFixture);
  const TemporaryFolder folder;
  write_changed(folder, [&](std::vector<TensorEntry>& tensors) {
    TensorEntry added = tensors.front();
    added.name = name;
    tensors.push_back(added);
  });
  try {
    load_weights(folder.path(), *decoder);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Weights, IgnoresOnlyWhatPublishedCheckpointsRepeat) {
  for (const char* name :
       {"model.layers.0.self_attn.rotary_emb.inv_freq", "model.layers.12.embed_tokens.weight",
        "model.layers.3.shared_head.head.weight"})
    EXPECT_EQ(problem_with(name), "") << name;
  for (const char* name : {"model.layers.embed_tokens.weight", "model.layers.x.embed_tokens.weight",
                           "model.layers.3", "model.layers.3.shared_head.head.weight.more"})
    EXPECT_NE(problem_with(name), "") << name;
}

TEST(Weights, ClipsALongName) {
  const std::string name = "model.layers." + std::string(1000000, '1');
  const std::string problem = problem_with(name);
  EXPECT_NE(problem.find("unexpected model.layers.111"), std::string::npos);
  EXPECT_LT(problem.size(), 1000u);
}

}  // namespace
}  // namespace cupel::llm
