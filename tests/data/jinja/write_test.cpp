#include "data/jinja/write.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaWrite, NumbersAreWrittenAsPythonWritesThem) {
  EXPECT_EQ(number_text(1e16), "1e+16");
  EXPECT_EQ(number_text(1e15), "1000000000000000.0");
  EXPECT_EQ(number_text(1e-5), "1e-05");
  EXPECT_EQ(number_text(-0.0), "-0.0");
  EXPECT_EQ(number_text(0.1 + 0.2), "0.30000000000000004");
}

TEST(JinjaWrite, StringsInListsAreQuotedAsPythonQuotesThem) {
  EXPECT_EQ(rendered(R"({{ x }})", R"({"x": ["it's", "a\"b", "\u200b\n", null, true]})"),
            R"(["it's", 'a"b', '\u200b\n', None, True])");
}

}  // namespace
}  // namespace cupel::jinja
