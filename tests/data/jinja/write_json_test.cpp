#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/jinja/write.h"
#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaWriteJson, JsonIsThatOfPython) {
  EXPECT_EQ(rendered(R"({{ x | tojson }})", R"({"x": {"a": [1, 2.0, "é<"], "b": null}})"),
            R"({"a": [1, 2.0, "é<"], "b": null})");
  EXPECT_EQ(rendered(R"({{ [1, {}] | tojson(indent=1) }})"), "[\n 1,\n {}\n]");
  EXPECT_EQ(rendered(R"({{ '🌍' | tojson(ensure_ascii=true) }})"), R"("\ud83c\udf0d")");
  EXPECT_THAT([] { rendered("{{ x | tojson }}"); },
              throws_error(ErrorKind::data, "JSON cannot hold \"Undefined\"; \"x\" is undefined"));
}

}  // namespace
}  // namespace cupel::jinja
