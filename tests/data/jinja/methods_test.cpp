#include "data/jinja/methods.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaMethods, DictsAndListsAnswer) {
  EXPECT_EQ(rendered("{{ {'a': 1}.get('b', 2) }} {{ {'a': 1}.items()|list }} {{ [1, 2, 1].count(1) "
                     "}} {{ (1, 2).index(2) }}"),
            "2 [('a', 1)] 2 1");
  EXPECT_EQ(rendered("{{ range(5, 0, -2)|list }} {{ dict(a=1) }} {{ namespace(a=1).a }}"),
            "[5, 3, 1] {'a': 1} 1");
}

TEST(JinjaMethods, RaiseExceptionIsAnAnswerNotAnError) {
  EXPECT_EQ(rendered("x{{ raise_exception('no ' ~ 1) }}"), "refused: no 1");
}

TEST(JinjaMethods, ARangeWithoutEndStopsAtTheSteps) {
  EXPECT_THAT([] { rendered("{{ range(9223372036854775807) }}"); },
              throws_error(ErrorKind::data, "more than 1000000 steps"));
}

}  // namespace
}  // namespace cupel::jinja
