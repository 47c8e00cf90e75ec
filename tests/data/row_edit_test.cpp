#include "data/row_edit.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "support/errors.h"

namespace cupel {
namespace {

TEST(RowEdit, LeavesEveryOtherByteOfTheRow) {
  EXPECT_EQ(with_text("{\"id\": 1e0, \"text\" : \"old \\\" }\",  \"z\":[1, {\"text\": \"x]\"}] }",
                      "text", "new \"one\"\n"),
            "{\"id\": 1e0, \"text\" : \"new \\\"one\\\"\\n\",  \"z\":[1, {\"text\": \"x]\"}],"
            "\"edited\":true }");
}

TEST(RowEdit, SetsAMarkThatIsThereAlready) {
  EXPECT_EQ(with_text("{\"edited\": {\"by\": [\"me\"]}, \"text\": \"a\"}", "text", "b"),
            "{\"edited\": true, \"text\": \"b\"}");
}

TEST(RowEdit, FindsAFieldWhoseNameIsSpelledWithEscapes) {
  EXPECT_EQ(with_text("{\"te\\u0078t\": \"a\\\\\", \"n\": null}", "text", "正文"),
            "{\"te\\u0078t\": \"正文\", \"n\": null,\"edited\":true}");
}

TEST(RowEdit, OfARowWithoutTheFieldIsAMistakeOfTheCaller) {
  EXPECT_THAT([] { with_text("{\"a\": {\"text\": \"x\"}}", "text", "y"); },
              throws_error(ErrorKind::bug, "found"));
}

}  // namespace
}  // namespace cupel
