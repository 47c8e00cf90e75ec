#include "data/jinja/renderer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaRenderer, NamesOfALoopEndWithIt) {
  EXPECT_EQ(
      rendered("{% set x = 0 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}"),
      "120");
  EXPECT_EQ(rendered("{% set n = namespace(x=0) %}{% for i in [1, 2] %}{% set n.x = n.x + i %}{% "
                     "endfor %}{{ n.x }}"),
            "3");
}

TEST(JinjaRenderer, ALoopWithoutEndIsEnded) {
  EXPECT_THAT(
      [] {
        rendered(
            "{% for i in range(999) %}{% for j in range(999) %}{% for k in range(9) %}{% endfor "
            "%}{% endfor %}{% endfor %}");
      },
      throws_error(ErrorKind::data, "more than 1000000 steps"));
}

TEST(JinjaRenderer, OutputHasALimit) {
  const std::string text = "{% set x = 'x' * 1000000 %}{% for i in range(20) %}{{ x }}{% endfor %}";
  EXPECT_THAT([&] { rendered(text); }, throws_error(ErrorKind::data, "writes more than 16 MiB"));
}

}  // namespace
}  // namespace cupel::jinja
