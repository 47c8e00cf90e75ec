#include "augment/dataset.h"

#include <gtest/gtest.h>

namespace cupel::augment {
namespace {

RawTable table() {
  RawTable out;
  out.features.resize(2);
  out.features[0].name = "amount";
  out.features[1].name = "constant";
  out.values = {1, 7, 3, 7, 100, 7, 5, 8};
  out.labels = {0, 1, 1, 0};
  out.groups = {"a", "b", "c", "d"};
  return out;
}

TEST(AugmentDataset, IsStandardisedByItsTrainingRowsAlone) {
  const Dataset data = standardise(table(), {{0, 1}, {2}, {3}});
  EXPECT_EQ(data.features[0].mean, 2);
  EXPECT_EQ(data.features[0].deviation, 1);
  EXPECT_EQ(data.features[0].low, 1);
  EXPECT_EQ(data.features[0].high, 3);
  EXPECT_EQ(data.train.row(0)[0], -1);
  EXPECT_EQ(data.train.row(1)[0], 1);
  EXPECT_EQ(data.validation.row(0)[0], 98);
  EXPECT_EQ(data.test.row(0)[0], 3);
}

TEST(AugmentDataset, AColumnThatIsConstantKeepsItsUnit) {
  const Dataset data = standardise(table(), {{0, 1}, {2}, {3}});
  EXPECT_EQ(data.features[1].deviation, 1);
  EXPECT_EQ(data.test.row(0)[1], 1);
}

TEST(AugmentDataset, RowsArePaddedWithZeroAndKeepLabelAndGroup) {
  const Dataset data = standardise(table(), {{0, 1}, {2}, {3}});
  EXPECT_EQ(data.train.width, 16);
  for (int i = 2; i < 16; ++i) EXPECT_EQ(data.train.row(1)[i], 0);
  EXPECT_EQ(data.train.labels, (std::vector<uint8_t>{0, 1}));
  EXPECT_EQ(data.validation.groups, (std::vector<std::string>{"c"}));
}

TEST(AugmentDataset, PositivesAreTheRowsLabelledOne) {
  const Rows all = standardise(table(), {{0, 1, 2, 3}, {2}, {3}}).train;
  const Rows positives = all.positives();
  EXPECT_EQ(all.count_positives(), 2);
  ASSERT_EQ(positives.size(), 2);
  EXPECT_EQ(positives.row(1)[0], all.row(2)[0]);
  EXPECT_EQ(positives.groups, (std::vector<std::string>{"b", "c"}));
}

}  // namespace
}  // namespace cupel::augment
