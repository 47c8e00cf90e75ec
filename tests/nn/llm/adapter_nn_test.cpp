// Adapters against PEFT, against the merged weights, and through files.
#include "nn/llm/adapter_nn.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "data/adapter_folder.h"
#include "nn/llm/load_weights_nn.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/tensors_nn.h"

namespace cupel::llm {
namespace {

/// The base model of a fixture's adapter with the adapter on it.
std::shared_ptr<Decoder> adapted_fixture(const std::string& name, at::ScalarType type) {
  const std::filesystem::path adapter = fixture(name), base = base_of_adapter(adapter);
  auto decoder = std::make_shared<Decoder>(read_model_config(base / "config.json"));
  load_weights(base, *decoder);
  load_adapters(adapter, *decoder);
  decoder->to(type);
  return decoder;
}

AdapterConfig odd_adapter() {
  AdapterConfig config;
  config.rank = 3;
  config.alpha = 10;  // over 3: no number of fp32
  return config;
}

/// The decoder with an adapter wherever there can be one, both matrices random.
void adapt_randomly(Decoder& decoder, const AdapterConfig& config = odd_adapter()) {
  const Run run(RunOptions{.seed = 5});
  add_adapters(decoder, config, run, "here");
  at::NoGradGuard no_grad;
  uint64_t seed = 40;
  for (const auto& item : decoder.named_parameters()) {
    if (item.key().find(".lora_") == std::string::npos) continue;
    item.value().copy_(random_tensor(item.value().sizes().vec(), ++seed, 0.15));
  }
}

class PeftParity : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Adapters, PeftParity,
                         testing::Values("lora/llama", "lora/llama_two", "lora/deepseek_v3"));

void expect_equal_to_peft(const std::string& name, at::ScalarType type, double tolerance) {
  const auto decoder = adapted_fixture(name, type);
  const Safetensors expected = Safetensors::open(fixture(name) / "expected.safetensors");
  const at::Tensor ids = read_tensor(expected, "ids");
  {
    at::NoGradGuard no_grad;
    EXPECT_LE(relative_gap(decoder->logits(ids), read_tensor(expected, "logits")), tolerance);
  }
  const nn::Batch batch = next_token_batch(ids);
  const at::Tensor loss = decoder->loss(batch, {}) / batch.weight;
  EXPECT_LE(relative_gap(loss, read_tensor(expected, "loss").squeeze()), tolerance);
  loss.backward();
  const auto parameters = decoder->named_parameters();
  int compared = 0;
  for (const TensorEntry& entry : expected.tensors()) {
    if (!entry.name.starts_with("grad.")) continue;
    const at::Tensor got = parameters[entry.name.substr(5)].grad();
    ASSERT_TRUE(got.defined()) << entry.name;
    EXPECT_LE(relative_gap(got, read_tensor(expected, entry.name)), 20 * tolerance) << entry.name;
    ++compared;
  }
  EXPECT_GE(compared, 6);
  for (const auto& item : parameters)
    EXPECT_EQ(item.value().grad().defined(), item.key().find(".lora_") != std::string::npos)
        << item.key();
}

TEST_P(PeftParity, GivesItsLogitsLossAndGradientsInDouble) {
  expect_equal_to_peft(GetParam(), at::kDouble, 5e-11);
}

TEST_P(PeftParity, GivesItsLogitsLossAndGradientsOverTheKernels) {
  expect_equal_to_peft(GetParam(), at::kFloat, 1e-5);
}

TEST_P(PeftParity, AFolderOfAnAdapterIsReadAsItsMergedModel) {
  const std::filesystem::path adapter = fixture(GetParam());
  Decoder decoder(read_model_config(base_of_adapter(adapter) / "config.json"));
  load_weights(adapter, decoder);
  const Safetensors expected = Safetensors::open(adapter / "expected.safetensors");
  for (const auto& item : decoder.named_parameters()) {
    EXPECT_TRUE(item.value().requires_grad()) << item.key();
    EXPECT_EQ(item.key().find(".lora_"), std::string::npos);
  }
  at::NoGradGuard no_grad;
  EXPECT_LE(
      relative_gap(decoder.logits(read_tensor(expected, "ids")), read_tensor(expected, "logits")),
      1e-5);
}

// `scripts/oracle lora --check` sets CUPEL_SAVED_MODELS and loads what this leaves there with PEFT.
TEST_P(PeftParity, SavesWhatPeftLoadsAndReadsItBack) {
  const TemporaryFolder temporary;
  const char* kept = std::getenv("CUPEL_SAVED_MODELS");
  const std::filesystem::path folder =
      (kept != nullptr ? std::filesystem::path(kept) : temporary.path()) / GetParam();
  std::filesystem::create_directories(folder);
  const auto decoder = adapted_fixture(GetParam(), at::kFloat);
  AdapterConfig config = read_adapter_config(fixture(GetParam()));
  if (std::string(GetParam()) == "lora/llama_two")
    config.targets = {"v_proj", "layers.1.mlp.down_proj"};
  save_adapters(folder, *decoder, config, base_of_adapter(fixture(GetParam())).string());
  Decoder again(decoder->config());
  load_weights(base_of_adapter(folder), again);
  load_adapters(folder, again);
  const at::Tensor ids = at::arange(20, at::kLong).unsqueeze(0);
  at::NoGradGuard no_grad;
  EXPECT_TRUE(at::equal(decoder->logits(ids), again.logits(ids)));
}

class Merged : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(
    Families, Merged,
    testing::Values("deepseek_v3_tiny/default", "deepseek_v3_tiny/multi_token_prediction",
                    "families/deepseek_v2_greedy", "families/deepseek_v2_groups",
                    "families/deepseek_v3", "families/llama", "families/mistral", "families/qwen2",
                    "families/qwen3", "families/qwen3_moe", "families/qwen3_moe_step"));

at::Tensor fixture_ids(const std::string& name) {
  return read_tensor(Safetensors::open(fixture(name) / "expected.safetensors"), "ids");
}

TEST_P(Merged, WeightsGiveTheLogitsOfTheAdapter) {
  at::NoGradGuard no_grad;
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    const auto decoder = fixture_decoder(GetParam(), type);
    const at::Tensor ids = fixture_ids(GetParam());
    const at::Tensor plain = decoder->logits(ids);
    adapt_randomly(*decoder);
    decoder->to(type);
    const at::Tensor adapted = decoder->logits(ids);
    EXPECT_GT(relative_gap(adapted, plain), 0.01);
    merge_adapters(*decoder);
    EXPECT_LE(relative_gap(decoder->logits(ids), adapted), type == at::kDouble ? 1e-12 : 2e-5);
    for (const auto& item : decoder->named_parameters())
      EXPECT_EQ(item.key().find(".lora_"), std::string::npos);
  }
}

// A sum of T labels, of products whose operands are rounded to 8 bit: in the middle it stays close.
TEST_P(Merged, WeightsGiveTheLossOfTheAdapterInBfloat16) {
  at::NoGradGuard no_grad;
  const auto decoder = fixture_decoder(GetParam());
  adapt_randomly(*decoder);
  const nn::Batch batch = next_token_batch(fixture_ids(GetParam()));
  LossOptions options;
  options.storage = at::kBFloat16;
  const double adapted = decoder->loss(batch, options).item<double>();
  merge_adapters(*decoder);
  EXPECT_NEAR(decoder->loss(batch, options).item<double>() / adapted, 1, 0.02);
}

TEST_P(Merged, AnAdapterIsThereTokenByTokenToo) {
  at::NoGradGuard no_grad;
  const auto decoder = fixture_decoder(GetParam(), at::kDouble);
  adapt_randomly(*decoder);
  decoder->to(at::kDouble);
  const at::Tensor ids = fixture_ids(GetParam())[0];
  DecoderCache cache;
  decoder->extend(ids.narrow(0, 0, ids.size(0) - 1), cache);
  const at::Tensor last = decoder->extend(ids.narrow(0, ids.size(0) - 1, 1), cache);
  EXPECT_LE(relative_gap(last, decoder->logits(ids.unsqueeze(0))[0][ids.size(0) - 1]), 1e-10);
}

/// Gradients of all adapters, in order.
std::vector<at::Tensor> adapter_gradients(Decoder& decoder, const LossOptions& options) {
  for (const at::Tensor& each : decoder.parameters()) each.mutable_grad().reset();
  const nn::Batch batch = next_token_batch(fixture_ids("families/llama"));
  decoder.loss(batch, options).backward();
  std::vector<at::Tensor> gradients;
  for (const auto& item : decoder.named_parameters()) {
    if (item.value().requires_grad()) gradients.push_back(item.value().grad().clone());
  }
  return gradients;
}

TEST(Adapters, RecomputedActivationsGiveTheSameGradientsUnderDropout) {
  const auto decoder = fixture_decoder("families/llama");
  adapt_randomly(*decoder);
  LossOptions options;
  options.adapter_dropout = 0.3;
  options.dropout_key = 77;
  const auto kept = adapter_gradients(*decoder, options);
  options.recompute = true;
  const auto again = adapter_gradients(*decoder, options);
  ASSERT_EQ(kept.size(), 2u * 14);
  for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_TRUE(at::equal(kept[i], again[i])) << i;
  options.dropout_key = 78;
  EXPECT_FALSE(at::equal(adapter_gradients(*decoder, options)[0], kept[0]));
}

TEST(Adapters, DropOtherElementsInEveryLayer) {
  const auto decoder = fixture_decoder("families/llama", at::kDouble);
  adapt_randomly(*decoder);
  decoder->to(at::kDouble);
  // Queries and keys read the same; with the same matrices they would be masked alike only by one
  // mask for both.
  const auto parameters = decoder->named_parameters();
  const std::string prefix = "model.layers.0.self_attn.";
  {
    at::NoGradGuard no_grad;
    parameters[prefix + "k_proj.lora_A.weight"].copy_(parameters[prefix + "v_proj.lora_A.weight"]);
    parameters[prefix + "k_proj.lora_B.weight"].zero_();
    parameters[prefix + "v_proj.lora_B.weight"].zero_();
  }
  LossOptions options;
  options.adapter_dropout = 0.5;
  adapter_gradients(*decoder, options);
  const at::Tensor keys = parameters[prefix + "k_proj.lora_B.weight"].grad();
  const at::Tensor values = parameters[prefix + "v_proj.lora_B.weight"].grad();
  EXPECT_GT(relative_gap(keys, values), 1e-3);
}

TEST(Adapters, BeginAsWhatTheModelWas) {
  const auto decoder = fixture_decoder("families/deepseek_v3");
  at::NoGradGuard no_grad;
  const at::Tensor ids = fixture_ids("families/deepseek_v3"), before = decoder->logits(ids);
  const cupel::Run run(RunOptions{.seed = 1});
  add_adapters(*decoder, odd_adapter(), run, "here");
  EXPECT_LE(relative_gap(decoder->logits(ids), before), 1e-5);
  for (const auto& item : decoder->named_parameters()) {
    const bool is_a = item.key().ends_with(".lora_A.weight");
    const bool is_b = item.key().ends_with(".lora_B.weight");
    EXPECT_EQ(item.value().requires_grad(), is_a || is_b) << item.key();
    if (is_b) {
      EXPECT_EQ(item.value().abs().max().item<float>(), 0) << item.key();
    }
    if (!is_a) continue;
    const double bound = 1 / std::sqrt(static_cast<double>(item.value().size(1)));
    EXPECT_LE(item.value().abs().max().item<double>(), bound) << item.key();
    EXPECT_GT(item.value().abs().max().item<double>(), 0.7 * bound) << item.key();
  }
}

/// The fixture's adapter with its tensors changed, read onto its base model.
void load_changed(const std::function<void(std::vector<TensorEntry>&)>& change) {
  const TemporaryFolder folder;
  const std::filesystem::path adapter = fixture("lora/llama_two");
  std::filesystem::copy(adapter / kAdapterConfig, folder / std::string(kAdapterConfig));
  const Safetensors file = Safetensors::open(adapter / kAdapterWeights);
  std::vector<TensorEntry> tensors = file.tensors();
  change(tensors);
  write_safetensors(folder / std::string(kAdapterWeights), std::move(tensors));
  const auto decoder = fixture_decoder("llama_tiny/default");
  load_adapters(folder.path(), *decoder);
}

TEST(LoadAdapters, TellsWhatFitsNoLayer) {
  const auto throws = [](const std::string& text) { return throws_error(ErrorKind::data, text); };
  EXPECT_THAT([] { load_changed([](auto& tensors) { tensors.erase(tensors.begin()); }); },
              throws("the adapter does not fit its base model:\n  missing "
                     "model.layers.0.self_attn.v_proj.lora_A.weight"));
  EXPECT_THAT([] { load_changed([](auto& tensors) { tensors[0].name = "base_model.model.x"; }); },
              throws("unexpected base_model.model.x"));
  EXPECT_THAT([] { load_changed([](auto& tensors) { tensors.clear(); }); },
              throws("it holds no tensor"));
  EXPECT_THAT(
      [] {
        load_changed([](auto& tensors) { std::swap(tensors[0].shape[0], tensors[0].shape[1]); });
      },
      throws("v_proj.lora_A.weight does not fit a layer of [24, 48]"));
}

}  // namespace
}  // namespace cupel::llm
