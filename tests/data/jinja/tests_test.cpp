#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaTests, KindsAreToldApartAsInPython) {
  EXPECT_EQ(rendered("{{ true is integer }} {{ 1 is number }} {{ 'a' is iterable }} {{ {} is "
                     "mapping }} {{ x is undefined }} {{ none is none }}"),
            "False True True True True True");
  EXPECT_THAT([] { rendered("{{ 1 is prime }}"); },
              throws_error(ErrorKind::data, "unknown test \"prime\"; known: sameas"));
}

}  // namespace
}  // namespace cupel::jinja
