#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/jinja/operators.h"
#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaArithmetic, DivisionRoundsDownAsInPython) {
  EXPECT_EQ(rendered("{{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ -7.5 % 2 }} {{ 2 ** -1 }}"),
            "-4 2 3.5 0.5 0.5");
}

TEST(JinjaArithmetic, WholeNumbersKeepTo64Bits) {
  EXPECT_THAT([] { rendered("{{ 9223372036854775807 + 1 }}"); },
              throws_error(ErrorKind::data, "leaves the range of 64 bits"));
  EXPECT_THAT([] { rendered("{{ 2 ** 64 }}"); },
              throws_error(ErrorKind::data, "leaves the range of 64 bits"));
  EXPECT_THAT([] { rendered("{{ 1 // 0 }}"); }, throws_error(ErrorKind::data, "division by zero"));
}

TEST(JinjaArithmetic, ARepeatedStringIsMeasuredBeforeItIsMade) {
  EXPECT_THAT([] { rendered("{{ 'abc' * 9223372036854775807 }}"); },
              throws_error(ErrorKind::data, "of values"));
}

}  // namespace
}  // namespace cupel::jinja
