#include "data/jinja/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaParser, ABlockThatIsNotClosedIsNamed) {
  EXPECT_THAT(
      [] { rendered("{% for x in y %}"); },
      throws_error(ErrorKind::data, "the template ends before {% endfor %}; close the block"));
  EXPECT_THAT([] { rendered("{% if x %}{% endfor %}"); },
              throws_error(ErrorKind::data, "unknown statement \"endfor\""));
}

TEST(JinjaParser, BlocksNestToADepth) {
  std::string deep;
  for (int i = 0; i < 3000; ++i) deep += "{% if 1 %}";
  EXPECT_THAT([&] { rendered(deep); },
              throws_error(ErrorKind::data, "blocks are nested deeper than 100"));
}

TEST(JinjaParser, BreakStandsInALoopOnly) {
  EXPECT_THAT([] { rendered("{% break %}"); },
              throws_error(ErrorKind::data, "outside of a for loop"));
  EXPECT_THAT([] { rendered("{% for x in y %}{% set z %}{% break %}{% endset %}{% endfor %}"); },
              throws_error(ErrorKind::data, "outside of a for loop"));
}

}  // namespace
}  // namespace cupel::jinja
