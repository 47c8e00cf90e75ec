#include "data/jinja/text_methods.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaTextMethods, StringsAnswerAsPythonStrings) {
  EXPECT_EQ(
      rendered("{{ ' a  b '.split() }} {{ 'a</t>b'.split('</t>')[-1] }} {{ 'xax'.strip('x') }}"),
      "['a', 'b'] b a");
  EXPECT_EQ(
      rendered(
          "{{ '你好'.find('好') }} {{ 'abc'.startswith(('x', 'a')) }} {{ 'a=b'.partition('=') }}"),
      "1 True ('a', '=', 'b')");
}

TEST(JinjaTextMethods, AReplacementIsMeasuredBeforeItGrows) {
  std::string text = "{% set x = 'aaaaaaaaaaaaaaaa' * 10000 %}";
  text += "{{ x.replace('a', x) }}";
  EXPECT_THAT([&] { rendered(text); }, throws_error(ErrorKind::data, "more than"));
}

}  // namespace
}  // namespace cupel::jinja
