#include "base/view.h"

#include <gtest/gtest.h>

#include <vector>

namespace cupel {
namespace {

TEST(View, StepsOverTheGapBetweenRows) {
  std::vector<int> numbers{0, 1, 2, 9, 3, 4, 5, 9};
  const View<int> view{numbers.data(), 2, 3, 4};
  EXPECT_EQ(view(1, 0), 3);
  EXPECT_EQ(view(1, 2), 5);
  EXPECT_EQ(view.row(1), numbers.data() + 4);
  view(0, 1) = 7;
  EXPECT_EQ(numbers[1], 7);
}

}  // namespace
}  // namespace cupel
