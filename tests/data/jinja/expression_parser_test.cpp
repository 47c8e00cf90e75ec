#include "data/jinja/expression_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaExpressionParser, OperatorsBindAsInJinja) {
  EXPECT_EQ(rendered("{{ 1 + 2 * 3 }} {{ -2 ** 2 }} {{ 1 ~ 2 * 3 }}"), "7 4 16");
  EXPECT_EQ(rendered("{{ not 1 == 2 and 3 or 4 }}"), "3");
  EXPECT_EQ(rendered("{{ 1 if 0 else 2 if 0 else 3 }}"), "3");
}

TEST(JinjaExpressionParser, NestingHasAnEnd) {
  const std::string deep = "{{ " + std::string(5000, '(') + "1" + std::string(5000, ')') + " }}";
  EXPECT_THAT([&] { rendered(deep); }, throws_error(ErrorKind::data, "nested deeper than 100"));
  std::string sum = "{{ 1";
  for (int i = 0; i < 5000; ++i) sum += " + 1";
  EXPECT_THAT([&] { rendered(sum + " }}"); },
              throws_error(ErrorKind::data, "nested deeper than 100"));
  const std::string list = "{{ " + std::string(5000, '[') + " }}";
  EXPECT_THAT([&] { rendered(list); }, throws_error(ErrorKind::data, "closes no bracket"));
}

}  // namespace
}  // namespace cupel::jinja
