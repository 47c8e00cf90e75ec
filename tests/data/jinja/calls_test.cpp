#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaCalls, MacrosHaveDefaultsAndCallers) {
  EXPECT_EQ(
      rendered("{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }} {{ m(b=3, a=1) }}"),
      "12 13");
  EXPECT_EQ(
      rendered(
          "{% macro m() %}<{{ caller(1) }}>{% endmacro %}{% call(x) m() %}{{ x }}{% endcall %}"),
      "<1>");
}

TEST(JinjaCalls, AMacroThatCallsItselfForEverIsEnded) {
  EXPECT_THAT([] { rendered("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"); },
              throws_error(ErrorKind::data, "nested deeper than 200; does a macro call itself?"));
}

TEST(JinjaCalls, TheTimeIsWhatTheCallerSays) {
  RenderOptions options;
  EXPECT_EQ(rendered("{{ strftime_now is defined }}", "{}", options), "False");
  options.time = 86400;
  EXPECT_EQ(rendered("{{ strftime_now('%d %b %Y') }}", "{}", options), "02 Jan 1970");
}

}  // namespace
}  // namespace cupel::jinja
