#include "nn/llm/rope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "support/files.h"

namespace cupel::llm {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

ModelConfig fixture(const std::string& name) {
  return read_model_config(std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures" / name /
                           "config.json");
}

auto near(double value) { return DoubleNear(value, 1e-12); }

TEST(Rope, PlainFrequenciesAreAGeometricSeries) {
  EXPECT_THAT(rotary_frequencies(fixture("deepseek_v3_tiny/default")),
              ElementsAre(near(1), near(0.1), near(0.01), near(0.001)));
  const std::vector<double> llama = rotary_frequencies(fixture("llama_tiny/default"));
  ASSERT_EQ(llama.size(), 6u);
  for (std::size_t i = 0; i < llama.size(); ++i) {
    EXPECT_NEAR(llama[i], std::pow(10000, -static_cast<double>(i) / 6), 1e-15);
  }
}

TEST(Rope, YarnInterpolatesSlowPairsAndLeavesFastOnes) {
  // Width 8, context 64, theta 10000: pair 0.41 turns 4 times (floor 0), pair 1.31 half a time
  // (ceil 2); factor 4.
  const ModelConfig config = fixture("deepseek_v3_tiny/yarn");
  EXPECT_THAT(rotary_frequencies(config),
              ElementsAre(near(1), near(0.1 * (0.5 / 4 + 0.5)), near(0.01 / 4), near(0.001 / 4)));
  const double mscale = 0.1 * 0.7 * std::log(4) + 1, all_dim = 0.1 * std::log(4) + 1;
  EXPECT_NEAR(rotary_factor(config), mscale / all_dim, 1e-15);
  EXPECT_NEAR(attention_scale(config), all_dim * all_dim / std::sqrt(20), 1e-15);
}

TEST(Rope, YarnWithoutBothScalesTakesTheOneOfItsPaper) {
  ModelConfig config = fixture("deepseek_v3_tiny/yarn");
  config.rope_scaling->mscale_all_dim = 0;
  EXPECT_NEAR(rotary_factor(config), 0.1 * std::log(4) + 1, 1e-15);
  EXPECT_NEAR(attention_scale(config), 1 / std::sqrt(20), 1e-15);
  config.rope_scaling->factor = 1;
  EXPECT_EQ(rotary_factor(config), 1);
}

TEST(Rope, Llama3LeavesFastPairsSlowsSlowOnesAndBlendsBetween) {
  // Context 16: a pair of frequency f turns 16 f / 2π times; 1 and 4 are the borders.
  const ModelConfig config = fixture("llama_tiny/llama3_rope");
  const std::vector<double> got = rotary_frequencies(config);
  const double turns = 16 / (2 * std::acos(-1.0)), smooth = (turns - 1) / 3;
  EXPECT_NEAR(got[0], (1 - smooth) / 8 + smooth, 1e-15);
  for (std::size_t i = 1; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], std::pow(500000, -static_cast<double>(i) / 6) / 8, 1e-15);
  }
  EXPECT_NEAR(frequency_divisors(config)[0], 1 / got[0], 1e-15);
  EXPECT_NEAR(frequency_divisors(config)[1], 8, 1e-14);
  EXPECT_EQ(rotary_factor(config), 1);
  EXPECT_NEAR(attention_scale(config), 1 / std::sqrt(12), 1e-15);
  ModelConfig fast = config;
  fast.rope_scaling->original_max_position_embeddings = 1000;
  EXPECT_EQ(rotary_frequencies(fast)[0], 1);
}

TEST(Rope, TablesHoldTheAnglesOfEveryPosition) {
  const ModelConfig config = fixture("deepseek_v3_tiny/yarn");
  const RotaryTables tables = rotary_tables(config, 100);
  ASSERT_EQ(tables.pairs, 4);
  ASSERT_EQ(tables.cosine.size(), 400u);
  ASSERT_EQ(tables.sine.size(), 400u);
  const double factor = rotary_factor(config);
  EXPECT_EQ(tables.cosine[0], factor);
  EXPECT_EQ(tables.sine[3], 0);
  const double angle = 99 * rotary_frequencies(config)[2];
  EXPECT_NEAR(tables.cosine[99 * 4 + 2], factor * std::cos(angle), 1e-15);
  EXPECT_NEAR(tables.sine[99 * 4 + 2], factor * std::sin(angle), 1e-15);
  EXPECT_TRUE(rotary_tables(config, 0).cosine.empty());
}

TEST(Rope, EverySettingWithoutProblemsGivesFrequenciesThatDoNotGrow) {
  Rng rng(3, "rope");
  int tried = 0;
  for (int i = 0; i < 3000; ++i) {
    ModelConfig config;
    config.vocab_size = 1;
    config.qk_rope_head_dim = 2 + 2 * static_cast<int64_t>(rng.below(40));
    config.rope_theta = std::pow(10, static_cast<double>(rng.below(13)));
    RopeScaling& scaling = config.rope_scaling.emplace();
    if (rng.below(2) == 0) scaling.type = "llama3";
    const auto draw = [&] { return static_cast<double>(rng.below(6)); };
    scaling.factor = 1 + draw();
    scaling.beta_fast = draw();
    scaling.beta_slow = draw();
    scaling.low_freq_factor = draw();
    scaling.high_freq_factor = draw();
    scaling.original_max_position_embeddings = 1 + static_cast<int64_t>(rng.below(100));
    if (!config.problems().empty()) continue;
    ++tried;
    for (const double frequency : rotary_frequencies(config)) {
      EXPECT_TRUE(frequency > 0 && frequency <= 1) << frequency;
    }
  }
  EXPECT_GT(tried, 500);
}

/// A DeepSeek of 4096 positions and 16 rotary dimensions, base 10000, with this rope_scaling.
ModelConfig with_rope(const std::string& rope, const std::string& family = "deepseek_v3") {
  json::Value object = json::Object{
      {"model_type", family},    {"vocab_size", 64},       {"hidden_size", 64},
      {"intermediate_size", 64}, {"num_hidden_layers", 1}, {"num_attention_heads", 4},
      {"qk_rope_head_dim", 16},  {"qk_nope_head_dim", 16}, {"max_position_embeddings", 4096}};
  object.set("rope_scaling", json::parse(rope, "rope"));
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  return read_model_config(folder.write("config.json", json::dump(object)));
}

void expect_frequencies(const ModelConfig& config, const std::vector<double>& want) {
  const std::vector<double> got = rotary_frequencies(config);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-6 * want[i]) << i;
}

// Below: ROPE_INIT_FUNCTIONS["yarn"] (in fp32) and yarn_apply_mscale of transformers 5.23.0, called
// with a DeepseekV3Config or LlamaConfig of with_rope()'s shape.
constexpr double kSoftmax = 0.17677669529663687;  // 1 / sqrt(32), without YaRN
const std::vector<double> kYarn{1.0,
                                0.239147246,
                                0.0512499996,
                                0.0084986221,
                                0.000250000012,
                                7.90569466e-05,
                                2.49999994e-05,
                                7.90569447e-06};

TEST(Rope, YarnScalesAttentionAsTransformersDoesWhicheverKeysAreThere) {
  const auto expect = [](const std::string& keys, double factor, double softmax) {
    const ModelConfig config =
        with_rope(R"({"rope_type": "yarn", "factor": 40, "original_max_position_embeddings": 512)" +
                  keys + "}");
    expect_frequencies(config, kYarn);
    EXPECT_NEAR(rotary_factor(config), factor, 1e-12) << keys;
    EXPECT_NEAR(attention_scale(config), softmax * kSoftmax, 1e-12) << keys;
  };
  expect("", 1.3688879454113936, 1);
  expect(R"(, "mscale": 0.5)", 1.3688879454113936, 1);
  expect(R"(, "mscale_all_dim": 0.5)", 1.3688879454113936, 1.4029075244788534);
  expect(R"(, "mscale": 0.7, "mscale_all_dim": 0.5)", 1.0622887960785043, 1.4029075244788534);
  expect(R"(, "mscale": 1, "mscale_all_dim": 0.5, "attention_factor": 0.75)", 0.75,
         1.4029075244788534);
  expect(R"(, "mscale": null, "attention_factor": null)", 1.3688879454113936, 1);
}

TEST(Rope, YarnWithoutTruncationBlendsBetweenBrokenBorders) {
  expect_frequencies(
      with_rope(R"({"type": "yarn", "factor": 40, "original_max_position_embeddings": 512,
                    "truncate": false})"),
      {1.0, 0.296960086, 0.0615182295, 0.0092115337, 0.000250000012, 7.90569466e-05, 2.49999994e-05,
       7.90569447e-06});
}

TEST(Rope, TheOriginalContextIsTheConfigsOwnWhereTheMapHasNone) {
  expect_frequencies(with_rope(R"({"rope_type": "yarn", "factor": 40})"),
                     {1.0, 0.316227764, 0.100000001, 0.0239147246, 0.00512499968, 0.000849862176,
                      2.49999994e-05, 7.90569447e-06});
  expect_frequencies(with_rope(R"({"rope_type": "llama3", "factor": 8, "low_freq_factor": 1,
                                   "high_freq_factor": 4})",
                               "llama"),
                     {1.0, 0.316227764, 0.100000001, 0.0316227786, 0.00999999978, 0.0013743249,
                      0.000125000006, 3.95284733e-05});
}

TEST(Rope, AFactorOfNullIsTheRatioOfTheContexts) {
  const ModelConfig config = with_rope(
      R"({"rope_type": "yarn", "factor": null, "original_max_position_embeddings": 512})", "llama");
  expect_frequencies(config, {1.0, 0.247052938, 0.0562500022, 0.01087033, 0.00124999997,
                              0.000395284733, 0.000125000006, 3.95284733e-05});
  EXPECT_NEAR(rotary_factor(config), 1.2079441541679836, 1e-12);
}

TEST(Rope, WhatIsWrittenTurnsByTheSameAngles) {
  const ModelConfig config = with_rope(
      R"({"rope_type": "yarn", "factor": 40, "original_max_position_embeddings": 512,
          "truncate": false, "attention_factor": 0.75, "mscale_all_dim": 0.5})");
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const ModelConfig again =
      read_model_config(folder.write("config.json", json::dump(to_hf_json(config))));
  EXPECT_EQ(rotary_frequencies(again), rotary_frequencies(config));
  EXPECT_EQ(rotary_factor(again), 0.75);
  EXPECT_EQ(attention_scale(again), attention_scale(config));
}

}  // namespace
}  // namespace cupel::llm
