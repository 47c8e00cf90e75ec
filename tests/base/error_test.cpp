#include "base/error.h"

#include <gtest/gtest.h>

#include "support/errors.h"

namespace cupel {
namespace {

TEST(Error, ReadsCulpritThenTextThenRemedy) {
  const Error error(ErrorKind::data, "rows.jsonl:481", "field \"text\" is missing", "add it");
  EXPECT_STREQ(error.what(), "rows.jsonl:481: field \"text\" is missing; add it");
}

TEST(Error, LeavesOutWhatIsEmpty) {
  EXPECT_STREQ(Error(ErrorKind::bug, "", "text").what(), "text");
}

TEST(Error, GivesEachKindItsExitCode) {
  EXPECT_EQ(exit_code(ErrorKind::config), 2);
  EXPECT_EQ(exit_code(ErrorKind::data), 3);
  EXPECT_EQ(exit_code(ErrorKind::resource), 4);
  for (const ErrorKind kind : {ErrorKind::numeric, ErrorKind::external, ErrorKind::bug}) {
    EXPECT_EQ(exit_code(kind), 1);
  }
}

TEST(Error, AFailedAssertionNamesConditionAndPlace) {
  EXPECT_THAT([] { CUPEL_ASSERT(1 + 1 == 3); },
              throws_error(ErrorKind::bug, "assertion failed: 1 + 1 == 3"));
  EXPECT_THAT([] { CUPEL_ASSERT(false); }, throws_error(ErrorKind::bug, "error_test.cpp:"));
}

}  // namespace
}  // namespace cupel
