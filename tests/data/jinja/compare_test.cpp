#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/jinja/operators.h"
#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaCompare, NumbersStringsAndListsCompareAsInPython) {
  EXPECT_EQ(
      rendered(
          "{{ 1 == true }} {{ 1 == 1.0 }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ 1 < 2 < 2 }}"),
      "True True True True False");
  EXPECT_EQ(rendered("{{ 'b' in 'abc' }} {{ 2 in [1, 2.0] }} {{ 'k' in {'k': 1} }}"),
            "True True True");
}

TEST(JinjaCompare, WhatHasNoOrderIsRefused) {
  EXPECT_THAT([] { rendered("{{ 1 < 'a' }}"); },
              throws_error(ErrorKind::data, "\"int\" and \"str\" have no order"));
  EXPECT_THAT([] { rendered("{{ x < 1 }}"); },
              throws_error(ErrorKind::data, "\"x\" is undefined; it cannot be compared"));
}

}  // namespace
}  // namespace cupel::jinja
