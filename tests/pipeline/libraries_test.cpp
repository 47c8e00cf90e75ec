#include "pipeline/libraries.h"

#include <gmock/gmock.h>

namespace cupel::pipeline {
namespace {

TEST(Libraries, EachTellsAVersionOfAtLeastTwoNumbers) {
  const auto versions = library_versions();
  EXPECT_GE(versions.size(), 9u);
  for (const auto& [name, version] : versions)
    EXPECT_THAT(version, testing::MatchesRegex("[0-9]+\\.[0-9]+(\\.[0-9]+)?[a-z-]*")) << name;
}

}  // namespace
}  // namespace cupel::pipeline
