#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaSequenceFilters, ListsAreSortedChosenAndJoined) {
  const char* variables = R"({"u": [{"n": "b", "a": 2}, {"n": "A", "a": 1}]})";
  EXPECT_EQ(rendered("{{ u|sort(attribute='n')|map(attribute='n')|join(',') }}", variables), "A,b");
  EXPECT_EQ(rendered("{{ u|selectattr('a', 'gt', 1)|map(attribute='n')|list }}", variables),
            "['b']");
  EXPECT_EQ(rendered("{{ u|rejectattr('a', 'equalto', 2)|list|length }}", variables), "1");
  EXPECT_EQ(rendered("{{ [3, 1, 2]|sort|first }} {{ [1, 1.0, 2]|unique|list }} {{ []|first is "
                     "defined }} {{ {'b': 1, 'a': 2}|dictsort }}"),
            "1 [1, 2] False [('a', 2), ('b', 1)]");
}

}  // namespace
}  // namespace cupel::jinja
