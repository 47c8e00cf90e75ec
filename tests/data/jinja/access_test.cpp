#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/jinja/operators.h"
#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaAccess, AMethodComesBeforeAKeyAndAKeyInBracketsBeforeAMethod) {
  EXPECT_EQ(rendered(R"({{ d.items is callable }} {{ d['items'] }} {{ {}['items'] is callable }})",
                     R"({"d": {"items": 1}})"),
            "True 1 True");
}

TEST(JinjaAccess, NothingButDataCanBeReached) {
  EXPECT_EQ(
      rendered("{{ ''.__class__ }}|{{ ''['__class__'] }}|{{ [].append }}|{{ range.__globals__ }}"),
      "|||");
  EXPECT_THAT([] { rendered("{{ ''.__class__.__mro__ }}"); },
              throws_error(ErrorKind::data, "\"str\" has no attribute \"__class__\""));
}

TEST(JinjaAccess, SlicesCountCharacters) {
  EXPECT_EQ(rendered("{{ '你好世界'[::-1] }}{{ '你好世界'[1:3] }}{{ [1, 2, 3][5:0:-2] }}"),
            "界世好你好世[3]");
}

}  // namespace
}  // namespace cupel::jinja
