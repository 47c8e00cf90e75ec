#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaEvaluate, OnlyTheBranchThatCountsIsComputed) {
  EXPECT_EQ(rendered("{{ 1 or x.y }} {{ 0 and x.y }} {{ 1 if true else x.y }} {{ 2 > 3 > x.y }}"),
            "1 0 1 False");
}

}  // namespace
}  // namespace cupel::jinja
