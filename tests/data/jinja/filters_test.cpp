#include "data/jinja/filters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaFilters, TextAndNumbersPassThrough) {
  EXPECT_EQ(rendered("{{ ' a '|trim }}{{ x|default('d') }}{{ ''|default('e', true) }} {{ '4.7'|int "
                     "}} {{ 2.5|round }} {{ 'x'|int(9) }}"),
            "ade 4 2.0 9");
  EXPECT_EQ(rendered("{{ 'a\nb'|indent(2) }} {{ '%s-%d'|format('x', 3) }}"), "a\n  b x-3");
}

TEST(JinjaFilters, AnUnknownFilterIsNamedBesideTheKnownOnes) {
  EXPECT_THAT(
      [] { rendered("\n{{ x|markdown }}"); },
      throws_error(ErrorKind::data, "t:2: unknown filter \"markdown\"; known: upper, lower"));
}

}  // namespace
}  // namespace cupel::jinja
