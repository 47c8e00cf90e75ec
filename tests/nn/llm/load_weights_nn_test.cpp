#include "nn/llm/load_weights_nn.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"
#include "support/tensors_nn.h"

namespace cupel::llm {
namespace {

constexpr const char* kFixture = "deepseek_v3_tiny/multi_token_prediction";

/// The fixture's tensors with one changed, written to a folder.
void write_changed(const TemporaryFolder& folder,
                   const std::function<void(std::vector<TensorEntry>&)>& change) {
  const Safetensors file = Safetensors::open(fixture(kFixture) / "model.safetensors");
  std::vector<TensorEntry> tensors = file.tensors();
  change(tensors);
  write_safetensors(folder / "model.safetensors", std::move(tensors));
}

TEST(LoadWeights, RefusesAFolderThatLacksOrAddsATensorAndFillsNothing) {
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

TEST(LoadWeights, NamesTheShapeThatDoesNotFit) {
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

TEST(LoadWeights, TakesSixteenBitFilesAndIgnoresRepeatedHeads) {
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

TEST(LoadWeights, IgnoresOnlyWhatPublishedCheckpointsRepeat) {
  for (const char* name :
       {"model.layers.0.self_attn.rotary_emb.inv_freq", "model.layers.12.embed_tokens.weight",
        "model.layers.3.shared_head.head.weight"})
    EXPECT_EQ(problem_with(name), "") << name;
  for (const char* name : {"model.layers.embed_tokens.weight", "model.layers.x.embed_tokens.weight",
                           "model.layers.3", "model.layers.3.shared_head.head.weight.more"})
    EXPECT_NE(problem_with(name), "") << name;
}

TEST(LoadWeights, ClipsALongName) {
  const std::string name = "model.layers." + std::string(1000000, '1');
  const std::string problem = problem_with(name);
  EXPECT_NE(problem.find("unexpected model.layers.111"), std::string::npos);
  EXPECT_LT(problem.size(), 1000u);
}

}  // namespace
}  // namespace cupel::llm
