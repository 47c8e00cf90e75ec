#include "curate/weight.h"

#include <gtest/gtest.h>

namespace cupel::curate {
namespace {

TEST(Weight, IsALogarithmAsAnInteger) {
  EXPECT_EQ(log_weight(1), 0);
  EXPECT_EQ(log_weight(2), 45426);  // 65536 ln 2 = 45426.09
  EXPECT_EQ(log_weight(0.5), -45426);
  EXPECT_DOUBLE_EQ(mean_weight(3 * 65536, 2), 1.5);
  EXPECT_EQ(mean_weight(0, 0), 0);
}

}  // namespace
}  // namespace cupel::curate
