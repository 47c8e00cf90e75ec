#include "nn/encoder_forward.h"

#include <gtest/gtest.h>

#include <cmath>

#include "nn/encoder_weights.h"
#include "support/files.h"
#include "support/random_classifier.h"

namespace cupel::nn {
namespace {

struct Products {
  const char* name;
  NumberFormat format;
};
std::string products_name(const testing::TestParamInfo<Products>& tested) {
  return tested.param.name;
}

using Ids = std::vector<int32_t>;

class EncoderForwardTest : public testing::TestWithParam<Products> {
 protected:
  /// The vectors of texts, and the outputs of their first tokens.
  std::vector<std::vector<float>> run(const std::vector<Ids>& texts, ThreadPool* pool = nullptr) {
    std::vector<const Ids*> rows;
    for (const Ids& text : texts) rows.push_back(&text);
    pass_.run(rows, pool);
    std::vector<std::vector<float>> vectors(texts.size(), std::vector<float>(128));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      pass_.mean(i, vectors[i].data());
      std::copy_n(pass_.first_token(i), 64, vectors[i].data() + 64);
    }
    return vectors;
  }

  static EncoderWeights random_weights(const std::filesystem::path& folder) {
    write_random_classifier(folder);
    return take_encoder_weights(Safetensors::open(folder), read_encoder_config(folder),
                                GetParam().format, "m");
  }

  TemporaryFolder folder_;
  EncoderWeights weights_ = random_weights(folder_.path());
  EncoderConfig config_ = read_encoder_config(folder_.path());
  EncoderForward pass_{config_, weights_};
};

TEST_P(EncoderForwardTest, NeighboursAndEarlierBatchesLeaveNoTrace) {
  const Ids a = {2, 7, 8, 9, 3}, b = {2, 3}, c(24, 11);
  const auto alone = run({a});
  const auto together = run({c, a, b, c});
  EXPECT_EQ(together[1], alone[0]);
  EXPECT_EQ(together[0], together[3]);
  EXPECT_EQ(run({a})[0], alone[0]);
  EXPECT_NE(together[0], together[1]);
}

TEST_P(EncoderForwardTest, EveryTokenSeesEveryOtherInItsPlace) {
  const auto vectors = run({{2, 7, 8, 9, 3}, {2, 7, 8, 10, 3}, {2, 8, 7, 9, 3}});
  EXPECT_NE(vectors[0], vectors[1]);
  EXPECT_NE(vectors[0], vectors[2]) << "the order counts";
}

TEST_P(EncoderForwardTest, ABatchLongerThanAStripIsComputedAlike) {
  std::vector<Ids> texts(30, Ids(24, 12));
  texts[29] = {2, 7, 3};
  EXPECT_EQ(run(texts)[29], run({{2, 7, 3}})[0]);
  EXPECT_EQ(run(texts)[0], run(texts)[28]);
}

TEST_P(EncoderForwardTest, AnyNumberOfThreadsGivesTheSameBits) {
  std::vector<Ids> texts(5, Ids(23, 12));
  texts[1] = {2, 7, 3};
  texts[3] = Ids(32, 9);
  const auto alone = run(texts);
  for (const int threads : {2, 3, 7}) {
    ThreadPool pool(threads);
    EXPECT_EQ(run(texts, &pool), alone) << threads;
  }
}

TEST_P(EncoderForwardTest, AWatcherSeesWhatEachLinearLayerIsGiven) {
  std::vector<std::string> seen;
  pass_.watch([&](int64_t layer, EncoderSite site, const float* x, int64_t rows) {
    EXPECT_TRUE(std::isfinite(x[rows - 1]));
    seen.push_back(std::to_string(layer) + std::to_string(static_cast<int>(site)) + ":" +
                   std::to_string(rows));
  });
  ThreadPool pool(2);
  run({Ids(20, 5), Ids(21, 6)}, &pool);
  EXPECT_EQ(seen, (std::vector<std::string>{"00:41", "01:41", "02:41", "03:41",  //
                                            "10:41", "11:41", "12:41", "13:41"}));
}

INSTANTIATE_TEST_SUITE_P(, EncoderForwardTest,
                         testing::Values(Products{"f32", {}}, Products{"f16", {Element::f16}},
                                         Products{"bf16", {Element::bf16}},
                                         Products{"int8", {Element::bf16, LinearFormat::int8}},
                                         Products{"cb4_32", {Element::f32, LinearFormat::cb4}},
                                         Products{"cb4_64_bf16",
                                                  {Element::bf16, LinearFormat::cb4, 64}}),
                         products_name);

}  // namespace
}  // namespace cupel::nn
