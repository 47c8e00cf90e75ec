#include "base/confusion.h"

#include <gtest/gtest.h>

namespace cupel {
namespace {

TEST(Confusion, CountsWhatStandsInATableByHand) {
  // Class 0: 3 of 4 found, one row of class 1 taken for it; class 2 never occurs.
  Confusion confusion(4);
  for (const auto& [expected, answered] :
       {std::pair{0, 0}, {0, 0}, {0, 0}, {0, 1}, {1, 0}, {1, 1}, {3, 1}})
    confusion.add(expected, answered);
  EXPECT_EQ(confusion.rows(), 7);
  EXPECT_EQ(confusion.right(), 4);
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 4.0 / 7);
  EXPECT_DOUBLE_EQ(confusion.scores()[0].precision(), 0.75);
  EXPECT_DOUBLE_EQ(confusion.scores()[0].recall(), 0.75);
  EXPECT_DOUBLE_EQ(confusion.scores()[1].precision(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(confusion.scores()[1].recall(), 0.5);
  EXPECT_DOUBLE_EQ(confusion.scores()[1].f1(), 0.4);
  EXPECT_DOUBLE_EQ(confusion.scores()[3].f1(), 0);
  EXPECT_DOUBLE_EQ(confusion.macro_f1(), (0.75 + 0.4 + 0) / 3) << "class 2 has no say";
}

TEST(Confusion, IsZeroWithoutARow) {
  const Confusion confusion(3);
  EXPECT_EQ(confusion.accuracy(), 0);
  EXPECT_EQ(confusion.macro_f1(), 0);
}

}  // namespace
}  // namespace cupel
