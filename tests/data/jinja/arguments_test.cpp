#include "data/jinja/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaArguments, EveryWrongCallSaysWhichArgument) {
  EXPECT_THAT([] { rendered("{{ 'a' | replace('b') }}"); },
              throws_error(ErrorKind::data, "replace: missing argument \"new\""));
  EXPECT_THAT([] { rendered("{{ 'a' | upper(1) }}"); },
              throws_error(ErrorKind::data, "upper: too many arguments"));
  EXPECT_THAT([] { rendered("{{ 'a'.replace('a', 'b', old=1) }}"); },
              throws_error(ErrorKind::data, "replace: argument given twice: \"old\""));
  EXPECT_THAT([] { rendered("{{ 'a' | trim(x=1) }}"); },
              throws_error(ErrorKind::data, "trim: there is no argument \"x\""));
  EXPECT_THAT([] { rendered("{{ range('a') }}"); },
              throws_error(ErrorKind::data, "must be a whole number, not \"str\""));
  EXPECT_THAT([] { rendered("{{ 'a'.startswith(1) }}"); },
              throws_error(ErrorKind::data, "must be a string, not \"int\""));
}

}  // namespace
}  // namespace cupel::jinja
