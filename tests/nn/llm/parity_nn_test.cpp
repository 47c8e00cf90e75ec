// Every family against transformers: logits, losses and the gradient of every weight, stored in
// fp64; greedy continuations; what is saved. And that the fixtures tell a wrong reading from a
// right one.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <regex>

#include "nn/llm/load_weights_nn.h"
#include "nn/llm/weights_nn.h"
#include "support/files.h"
#include "support/tensors_nn.h"

namespace cupel::llm {
namespace {

/// A published name's gradient inside the decoder's fused parameters.
at::Tensor gradient_of(const Decoder& decoder, const std::string& name) {
  static const std::regex expert(R"((.*\.mlp\.experts)\.(\d+)\.(gate|up|down)_proj\.weight)");
  std::smatch match;
  const auto parameters = decoder.named_parameters();
  if (!std::regex_match(name, match, expert)) return parameters[name].grad();
  const bool down = match[3] == "down";
  const at::Tensor fused = parameters[match[1].str() + (down ? ".down_proj" : ".gate_up_proj")]
                               .grad()[std::stoi(match[2])];
  if (down) return fused;
  const int64_t inner = fused.size(0) / 2;
  return fused.narrow(0, match[3] == "gate" ? 0 : inner, inner);
}

void expect_gradients(const Decoder& decoder, const Safetensors& expected, double tolerance) {
  int compared = 0;
  for (const TensorEntry& entry : expected.tensors()) {
    if (!entry.name.starts_with("grad.")) continue;
    const at::Tensor got = gradient_of(decoder, entry.name.substr(5));
    ASSERT_TRUE(got.defined()) << entry.name;
    EXPECT_LE(relative_gap(got, read_tensor(expected, entry.name)), tolerance) << entry.name;
    ++compared;
  }
  EXPECT_GT(compared, 10);
}

void expect_equal_to_reference(const std::string& name, at::ScalarType type, double tolerance) {
  const auto decoder = fixture_decoder(name, type);
  const Safetensors expected = Safetensors::open(fixture(name) / "expected.safetensors");
  const at::Tensor ids = read_tensor(expected, "ids");
  {
    at::NoGradGuard no_grad;
    EXPECT_LE(relative_gap(decoder->logits(ids), read_tensor(expected, "logits")), tolerance);
  }
  nn::Batch batch = next_token_batch(ids);
  const at::Tensor loss = decoder->loss(batch, {}) / batch.weight;
  EXPECT_LE(relative_gap(loss, read_tensor(expected, "loss").squeeze()), tolerance);
  if (expected.find("mtp_loss") != nullptr) return;
  loss.backward();
  expect_gradients(*decoder, expected, 20 * tolerance);
}

class Parity : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Families, Parity,
                         testing::Values("deepseek_v3_tiny/default", "deepseek_v3_tiny/yarn",
                                         "deepseek_v3_tiny/multi_token_prediction",
                                         "llama_tiny/default", "llama_tiny/llama3_rope",
                                         "families/deepseek_v2_greedy",
                                         "families/deepseek_v2_groups", "families/deepseek_v3",
                                         "families/llama", "families/mistral", "families/qwen2",
                                         "families/qwen3", "families/qwen3_moe",
                                         "families/qwen3_moe_step"));

TEST_P(Parity, GivesTheReferencesLogitsLossAndGradientsInDouble) {
  expect_equal_to_reference(GetParam(), at::kDouble, 1e-10);
}

TEST_P(Parity, GivesTheReferencesLogitsLossAndGradientsOverTheKernels) {
  expect_equal_to_reference(GetParam(), at::kFloat, 1e-5);
}

/// Logits of a sequence, its first `together` tokens at once and the others one by one.
at::Tensor extended(Decoder& decoder, const at::Tensor& ids, int64_t together) {
  DecoderCache cache;
  std::vector<at::Tensor> rows{decoder.extend(ids.narrow(0, 0, together), cache)};
  for (int64_t i = together; i < ids.size(0); ++i)
    rows.push_back(decoder.extend(ids.narrow(0, i, 1), cache));
  return at::stack(rows);
}

TEST_P(Parity, ExtendsASequenceTokenByTokenToTheReferencesLogits) {
  const Safetensors expected = Safetensors::open(fixture(GetParam()) / "expected.safetensors");
  const at::Tensor ids = read_tensor(expected, "ids")[1];
  const at::Tensor want = read_tensor(expected, "logits")[1];
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    const auto decoder = fixture_decoder(GetParam(), type);
    EXPECT_LE(relative_gap(extended(*decoder, ids, 5), want.narrow(0, 4, ids.size(0) - 4)),
              type == at::kDouble ? 1e-10 : 1e-5);
  }
}

TEST_P(Parity, GoesOnGreedilyWithTheReferencesTokens) {
  const Safetensors expected = Safetensors::open(fixture(GetParam()) / "expected.safetensors");
  if (expected.find("greedy") == nullptr) return;
  const at::Tensor tokens = read_tensor(expected, "greedy");
  constexpr int64_t kContinued = 32;
  const int64_t prompt = tokens.size(0) - kContinued;
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    const auto decoder = fixture_decoder(GetParam(), type);
    DecoderCache cache;
    at::Tensor next = tokens.narrow(0, 0, prompt);
    for (int64_t i = prompt; i < tokens.size(0); ++i) {
      next = decoder->extend(next, cache).argmax(0, /*keepdim=*/true);
      ASSERT_EQ(next.item<int64_t>(), tokens[i].item<int64_t>()) << "token " << i;
    }
  }
}

// `scripts/oracle families --check` sets CUPEL_SAVED_MODELS and loads what this leaves there with
// transformers.
TEST_P(Parity, SavesWhatTransformersLoadsAndReadsItBack) {
  const TemporaryFolder temporary;
  const char* kept = std::getenv("CUPEL_SAVED_MODELS");
  const std::filesystem::path folder =
      (kept != nullptr ? std::filesystem::path(kept) : temporary.path()) / GetParam();
  std::filesystem::create_directories(folder);
  const auto decoder = fixture_decoder(GetParam());
  save_model(folder, *decoder, {});
  Decoder again(read_model_config(folder / "config.json"));
  load_weights(folder, again);
  const at::Tensor ids = at::arange(20, at::kLong).unsqueeze(0);
  at::NoGradGuard no_grad;
  EXPECT_TRUE(at::equal(decoder->logits(ids), again.logits(ids)));
}

/// A setting read wrongly: the logits after the first token must show it.
struct Mistake {
  const char* fixture;
  const char* what;
  std::function<void(ModelConfig&)> make;
};

const std::vector<Mistake>& mistakes() {
  using C = ModelConfig;
  static const std::vector<Mistake> all{
      {"deepseek_v3_tiny/default", "rotary pairs apart", [](C& c) { c.rope_interleave = false; }},
      {"deepseek_v3_tiny/default", "weights not normalised",
       [](C& c) { c.norm_topk_prob = false; }},
      {"deepseek_v3_tiny/default", "experts not scaled", [](C& c) { c.routed_scaling_factor = 1; }},
      {"deepseek_v3_tiny/default", "no groups", [](C& c) { c.n_group = c.topk_group = 1; }},
      {"deepseek_v3_tiny/default", "another epsilon", [](C& c) { c.rms_norm_eps = 1e-6; }},
      {"deepseek_v3_tiny/yarn", "rotary pairs together", [](C& c) { c.rope_interleave = true; }},
      {"deepseek_v3_tiny/yarn", "no softmax scale",
       [](C& c) { c.rope_scaling->mscale_all_dim = 0; }},
      {"families/deepseek_v2_greedy", "no YaRN", [](C& c) { c.rope_scaling.reset(); }},
      {"families/deepseek_v2_greedy", "the cosines' factor left out",
       [](C& c) { c.rope_scaling->mscale = c.rope_scaling->mscale_all_dim; }},
      {"families/deepseek_v2_greedy", "choice limited to groups",
       [](C& c) { c.n_group = 4, c.topk_group = 2; }},
      {"families/deepseek_v2_groups", "choice not limited to groups",
       [](C& c) { c.n_group = c.topk_group = 1; }},
      {"families/deepseek_v3", "choice not limited to groups",
       [](C& c) { c.n_group = c.topk_group = 1; }},
      {"families/llama", "no scaling of angles", [](C& c) { c.rope_scaling.reset(); }},
      {"families/mistral", "no window", [](C& c) { c.sliding_window.reset(); }},
      {"families/mistral", "a window that ends a token later", [](C& c) { c.sliding_window = 6; }},
      {"families/qwen2", "a window in every layer", [](C& c) { c.max_window_layers = 0; }},
      {"families/qwen2", "no window", [](C& c) { c.sliding_window.reset(); }},
      {"families/qwen3", "another base of angles", [](C& c) { c.rope_theta = 10000; }},
      {"families/qwen3", "the window that is switched off", [](C& c) { c.sliding_window = 3; }},
      {"families/qwen3_moe", "weights not normalised", [](C& c) { c.norm_topk_prob = false; }},
      {"families/qwen3_moe_step", "weights normalised", [](C& c) { c.norm_topk_prob = true; }}};
  return all;
}

TEST(Traps, EveryMistakeShowsInTheLogits) {
  at::NoGradGuard no_grad;
  for (const Mistake& mistake : mistakes()) {
    const std::filesystem::path folder = fixture(mistake.fixture);
    ModelConfig config = read_model_config(folder / "config.json");
    mistake.make(config);
    Decoder wrong(config);
    load_weights(folder, wrong);
    wrong.to(at::kDouble);
    const Safetensors expected = Safetensors::open(folder / "expected.safetensors");
    const at::Tensor want = read_tensor(expected, "logits");
    EXPECT_GT(relative_gap(wrong.logits(read_tensor(expected, "ids")), want), 1e-7)
        << mistake.fixture << ": " << mistake.what;
  }
}

// A mistake with angles or their scale cannot be seen where there is one token to look at.
TEST(Traps, AnglesDoNotShowAtTheFirstToken) {
  at::NoGradGuard no_grad;
  const std::filesystem::path folder = fixture("families/deepseek_v2_greedy");
  ModelConfig config = read_model_config(folder / "config.json");
  config.rope_scaling.reset();
  Decoder wrong(config);
  load_weights(folder, wrong);
  wrong.to(at::kDouble);
  const Safetensors expected = Safetensors::open(folder / "expected.safetensors");
  const at::Tensor got = wrong.logits(read_tensor(expected, "ids"));
  const at::Tensor want = read_tensor(expected, "logits");
  EXPECT_LE(relative_gap(got.select(1, 0), want.select(1, 0)), 1e-10);
  EXPECT_GT(relative_gap(got.select(1, 1), want.select(1, 1)), 1e-3);
}

TEST(Traps, RouterBiasesAreNotRoundedWithTheOtherWeights) {
  const std::string name = "model.layers.1.mlp.gate.e_score_correction_bias";
  const Safetensors file = Safetensors::open(fixture("families/deepseek_v3") / "model.safetensors");
  const at::Tensor stored = read_tensor(file, name);
  ASSERT_EQ(stored.scalar_type(), at::kFloat);
  ASSERT_EQ(read_tensor(file, "model.norm.weight").scalar_type(), at::kHalf);
  ASSERT_FALSE(at::equal(stored.to(at::kHalf).to(at::kFloat), stored));
  ASSERT_LT(stored.max().item<float>(), 0) << "so that a masked group's zero would win";
  EXPECT_TRUE(at::equal(fixture_decoder("families/deepseek_v3")->named_buffers()[name], stored));
}

TEST(Traps, PredictsASecondTokenAsTheReferenceDoes) {
  const std::string name = "deepseek_v3_tiny/multi_token_prediction";
  const auto decoder = fixture_decoder(name, at::kDouble);
  const Safetensors expected = Safetensors::open(fixture(name) / "expected.safetensors");
  const at::Tensor ids = read_tensor(expected, "ids");
  const at::Tensor want = read_tensor(expected, "mtp_logits");
  {
    at::NoGradGuard no_grad;
    EXPECT_LE(relative_gap(decoder->mtp_logits(ids).narrow(1, 0, want.size(1)), want), 1e-10);
  }
  // Labels of the whole rows: the reference's main loss has one more label than its second one.
  nn::Batch batch;
  batch.inputs = ids;
  batch.labels = at::full_like(ids, -100);
  batch.labels.narrow(1, 0, ids.size(1) - 1).copy_(ids.narrow(1, 1, ids.size(1) - 1));
  LossOptions options;
  options.mtp_loss_weight = 1;
  const double labels = static_cast<double>(ids.size(0) * (ids.size(1) - 2));
  const at::Tensor plain = decoder->loss(batch, {});
  const at::Tensor loss = decoder->loss(batch, options);
  EXPECT_EQ(loss.item<double>(), plain.item<double>());
  EXPECT_NEAR(decoder->mtp_loss() / labels, read_tensor(expected, "mtp_loss").item<double>(),
              1e-10);
  ((loss - plain) / labels).backward();
  expect_gradients(*decoder, expected, 1e-8);
}

}  // namespace
}  // namespace cupel::llm
