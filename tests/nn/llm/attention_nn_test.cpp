// The two attentions as modules; their arithmetic stands against references in decoder_nn_test.cpp.
#include "nn/llm/attention_nn.h"

#include <gtest/gtest.h>

#include "nn/llm/families.h"
#include "nn/llm/rope.h"
#include "support/tensors_nn.h"

namespace cupel::llm {
namespace {

ModelConfig config_of(const char* family) {
  ModelConfig config;
  config.family = family;
  config.hidden_size = 24;
  config.num_attention_heads = 4;
  config.num_key_value_heads = 2;
  config.kv_lora_rank = 10;
  config.qk_nope_head_dim = 6;
  config.qk_rope_head_dim = 4;
  config.v_head_dim = 6;
  return config;
}

Pass pass_over(const ModelConfig& config, int64_t batch, int64_t length) {
  const RotaryTables tables = rotary_tables(config, length);
  const auto tensor = [&](const std::vector<double>& values) {
    return at::tensor(values, at::kDouble).view({length, tables.pairs}).to(at::kFloat);
  };
  Pass pass;
  pass.positions = {batch, length, tensor(tables.cosine), tensor(tables.sine), {}};
  return pass;
}

std::shared_ptr<Attention> attention_of(const ModelConfig& config) {
  if (find_family(config.family)->latent_attention)
    return std::make_shared<LatentAttention>(config);
  return std::make_shared<GroupedAttention>(config, 0);
}

void expect_causal(const char* family) {
  const ModelConfig config = config_of(family);
  const std::shared_ptr<Attention> module = attention_of(config);
  Attention& attention = *module;
  fill_randomly(attention, 0.4);
  at::NoGradGuard no_grad;
  const at::Tensor x = random_tensor({9, 24}, 1);
  const Pass pass = pass_over(config, 1, 9);
  const at::Tensor before = attention.forward(x, pass);
  at::Tensor changed = x.clone();
  changed[6] += 1;
  const at::Tensor after = attention.forward(changed, pass);
  EXPECT_TRUE(at::equal(before.narrow(0, 0, 6), after.narrow(0, 0, 6)));
  EXPECT_GT(relative_gap(after[6], before[6]), 1e-3);
}

TEST(AttentionModules, SeeNoLaterToken) {
  for (const Family& family : kFamilies) expect_causal(family.name.data());
}

TEST(AttentionModules, SeeNothingOfAnotherSequence) {
  const ModelConfig config = config_of("deepseek_v3");
  LatentAttention attention(config);
  fill_randomly(attention, 0.4);
  at::NoGradGuard no_grad;
  const at::Tensor a = random_tensor({5, 24}, 1), b = random_tensor({5, 24}, 2);
  const at::Tensor both = attention.forward(at::cat({a, b}), pass_over(config, 2, 5));
  EXPECT_LE(relative_gap(both.narrow(0, 5, 5), attention.forward(b, pass_over(config, 1, 5))),
            1e-6);
}

TEST(LatentAttentionCache, HoldsOneLatentAndOneRotaryKeyAToken) {
  const ModelConfig config = config_of("deepseek_v3");
  LatentAttention attention(config);
  fill_randomly(attention, 0.4);
  at::NoGradGuard no_grad;
  AttentionCache cache;
  attention.extend(random_tensor({7, 24}, 1), pass_over(config, 1, 7), cache);
  EXPECT_EQ(cache.first.sizes().vec(), (std::vector<int64_t>{7, 10}));
  EXPECT_EQ(cache.second.sizes().vec(), (std::vector<int64_t>{7, 4}));
}

TEST(LatentAttention, NormsItsLatentsWithAnEpsilonOfItsOwn) {
  ModelConfig config = config_of("deepseek_v3");
  config.q_lora_rank = 8;
  at::NoGradGuard no_grad;
  const at::Tensor x = random_tensor({5, 24}, 1);
  const auto output = [&] {
    LatentAttention attention(config);
    fill_randomly(attention, 0.4);
    return attention.forward(x, pass_over(config, 1, 5));
  };
  const at::Tensor before = output();
  config.rms_norm_eps = 0.5;
  EXPECT_TRUE(at::equal(output(), before));
}

/// Attention over `length` tokens, a window of 3, and the same after another first token.
struct Windowed {
  static constexpr int64_t kLength = 70;  // more than one block of keys of the kernel
  ModelConfig config = config_of("mistral");
  at::Tensor x = random_tensor({kLength, 24}, 1);
  std::shared_ptr<Attention> attention;

  Windowed() {
    config.sliding_window = 3;
    attention = attention_of(config);
    fill_randomly(*attention, 0.4);
  }
};

TEST(SlidingWindow, HidesWhatStandsFurtherBack) {
  at::NoGradGuard no_grad;
  const Windowed test;
  const Pass pass = pass_over(test.config, 1, Windowed::kLength);
  const at::Tensor before = test.attention->forward(test.x, pass);
  at::Tensor changed = test.x.clone();
  changed[10] += 1;
  const at::Tensor after = test.attention->forward(changed, pass);
  for (int64_t i = 0; i < Windowed::kLength; ++i)
    EXPECT_EQ(at::equal(after[i], before[i]), i < 10 || i > 12) << i;
}

TEST(SlidingWindow, EndsAtTheBorderOfAPackedDocument) {
  at::NoGradGuard no_grad;
  const Windowed test;
  Pass pass = pass_over(test.config, 1, Windowed::kLength);
  pass.positions.first = (at::arange(Windowed::kLength, at::kInt) >= 10).to(at::kInt) * 10;
  pass.positions.first = pass.positions.first.unsqueeze(0);
  const at::Tensor before = test.attention->forward(test.x, pass);
  at::Tensor changed = test.x.clone();
  changed[9] += 1;
  const at::Tensor after = test.attention->forward(changed, pass);
  for (int64_t i = 0; i < Windowed::kLength; ++i)
    EXPECT_EQ(at::equal(after[i], before[i]), i != 9) << i;
}

TEST(SlidingWindow, KeepsNoMoreOfTheCacheThanTheNextTokensSee) {
  at::NoGradGuard no_grad;
  const Windowed test;
  const Pass whole = pass_over(test.config, 1, Windowed::kLength);
  const at::Tensor want = test.attention->forward(test.x, whole);
  AttentionCache cache;
  for (int64_t begin = 0, count = 4; begin < Windowed::kLength; begin += count) {
    count = std::min<int64_t>(begin == 0 ? 4 : 1 + begin % 3, Windowed::kLength - begin);
    Pass pass = whole;
    pass.positions.cosine = whole.positions.cosine.narrow(0, begin, count);
    pass.positions.sine = whole.positions.sine.narrow(0, begin, count);
    const at::Tensor got = test.attention->extend(test.x.narrow(0, begin, count), pass, cache);
    EXPECT_LE(relative_gap(got, want.narrow(0, begin, count)), 1e-5) << begin;
    EXPECT_LE(cache.first.size(0), count + 2);
  }
}

}  // namespace
}  // namespace cupel::llm
