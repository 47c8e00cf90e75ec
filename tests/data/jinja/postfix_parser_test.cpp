#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaPostfixParser, FiltersTestsSlicesAndCallsFollowAValue) {
  EXPECT_EQ(rendered("{{ 'abc'[1:]|upper }} {{ 'abc'.upper()[0] }}"), "BC A");
  EXPECT_EQ(rendered("{{ 3 is odd }} {{ 3 is not divisibleby 3 }} {{ 4 is eq(4) }}"),
            "True False True");
  EXPECT_EQ(rendered("{{ 'a,b'.split(sep=',')[1] }}"), "b");
}

TEST(JinjaPostfixParser, UnpackedArgumentsAreNamedAsUnsupported) {
  EXPECT_THAT([] { rendered("{{ dict(**x) }}"); },
              throws_error(ErrorKind::data,
                           "t:1: arguments by * and ** are not supported; write them out"));
}

}  // namespace
}  // namespace cupel::jinja
