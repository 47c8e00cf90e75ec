#include "nn/encoder_forward.h"

#include <gtest/gtest.h>

#include "nn/encoder_weights.h"

namespace cupel::nn {
namespace {

struct Products {
  const char* name;
  Element element;
  bool int8;
};
std::string products_name(const testing::TestParamInfo<Products>& tested) {
  return tested.param.name;
}

class EncoderForwardTest : public testing::TestWithParam<Products> {
 protected:
  EncoderForwardTest()
      : config_(read_encoder_config(kTiny)),
        weights_(take_encoder_weights(Safetensors::open(kTiny), config_, GetParam().element,
                                      GetParam().int8, "m")),
        pass_(config_, weights_, GetParam().element) {}

  using Ids = std::vector<int32_t>;
  std::vector<std::vector<float>> run(const std::vector<Ids>& texts) {
    std::vector<std::vector<float>> vectors(texts.size(), std::vector<float>(24));
    std::vector<const Ids*> rows;
    std::vector<float*> places;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      rows.push_back(&texts[i]);
      places.push_back(vectors[i].data());
    }
    pass_.run(rows, places);
    return vectors;
  }

  const std::filesystem::path kTiny =
      std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures/encoder/tiny";
  EncoderConfig config_;
  EncoderWeights weights_;
  EncoderForward pass_;
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

INSTANTIATE_TEST_SUITE_P(, EncoderForwardTest,
                         testing::Values(Products{"f32", Element::f32, false},
                                         Products{"f16", Element::f16, false},
                                         Products{"bf16", Element::bf16, false},
                                         Products{"int8", Element::bf16, true}),
                         products_name);

}  // namespace
}  // namespace cupel::nn
