#include "cli/launch.h"

#include <gtest/gtest.h>

namespace cupel::cli {
namespace {

TEST(Launch, WhoWasKilledIsTheCulpritWhoeverEndedFirst) {
  const std::vector<Ended> failed{{0, 10, 1, 0}, {1, 11, 0, 9}, {2, 12, 1, 0}};
  EXPECT_EQ(culprit(failed).rank, 1);
}

TEST(Launch, WhoSaysWhatIsWrongComesBeforeWhoMissesAnother) {
  const std::vector<Ended> failed{{1, 11, 1, 0}, {0, 10, 3, 0}};
  EXPECT_EQ(culprit(failed).rank, 0);
}

TEST(Launch, OfEqualsTheFirstIsNamed) {
  const std::vector<Ended> failed{{2, 12, 1, 0}, {0, 10, 1, 0}};
  EXPECT_EQ(culprit(failed).rank, 2);
}

}  // namespace
}  // namespace cupel::cli
