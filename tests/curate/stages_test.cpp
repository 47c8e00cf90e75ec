#include "curate/stages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cupel::curate {
namespace {

std::vector<std::string> broken(std::string_view text, const FormatConfig& config) {
  std::vector<std::string> rules;
  for (const Failure& failure : check_length(text, config)) rules.push_back(failure.rule);
  return rules;
}

TEST(LengthRules, CountCharactersAndTakeBothEnds) {
  const FormatConfig config{3, 5};
  EXPECT_THAT(broken("äöü", config), testing::IsEmpty());
  EXPECT_THAT(broken("äöüäö", config), testing::IsEmpty());
  EXPECT_THAT(broken("äö", config), testing::ElementsAre("too_short"));
  EXPECT_THAT(broken("äöüäöü", config), testing::ElementsAre("too_long"));
}

TEST(LengthRules, SayWhatWasFoundAndWhatIsAsked) {
  const Failure failure = check_length("ab", {3, 5}).at(0);
  EXPECT_EQ(failure.value, 2);
  EXPECT_EQ(failure.threshold, 3);
}

}  // namespace
}  // namespace cupel::curate
