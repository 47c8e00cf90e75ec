// The two attentions as modules; their arithmetic stands against references in decoder_nn_test.cpp.
#include "nn/llm/attention_nn.h"

#include <gtest/gtest.h>

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

template <class Kind>
void expect_causal(const char* family) {
  const ModelConfig config = config_of(family);
  Kind attention(config);
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
  expect_causal<GroupedAttention>("llama");
  expect_causal<LatentAttention>("deepseek_v3");
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

}  // namespace
}  // namespace cupel::llm
