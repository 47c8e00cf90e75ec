#include "data/jinja/lexer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

std::vector<TokenKind> kinds(std::string_view source) {
  std::vector<TokenKind> out;
  for (const Token& token : tokenize(source, "t")) out.push_back(token.kind);
  return out;
}

TEST(JinjaLexer, ATagIsItsParts) {
  using K = TokenKind;
  EXPECT_THAT(kinds("a{{ b + 1.5 }}"),
              testing::ElementsAre(K::text, K::variable_begin, K::name, K::sign, K::number,
                                   K::variable_end, K::end));
}

TEST(JinjaLexer, ABlockTakesTheLineEndBehindAndTheBlanksBefore) {
  const std::vector<Token> tokens = tokenize("a\n  {% if x %}\n b", "t");
  EXPECT_EQ(tokens.front().text, "a\n");
  EXPECT_EQ(tokens[tokens.size() - 2].text, " b");
}

TEST(JinjaLexer, NumbersAndStringsHaveTheirValues) {
  const std::vector<Token> tokens = tokenize("{{ 0x1F 1_000 'a\\n' }}", "t");
  EXPECT_EQ(tokens[1].integer, 31);
  EXPECT_EQ(tokens[2].integer, 1000);
  EXPECT_EQ(tokens[3].text, "a\n");
}

TEST(JinjaLexer, TextThatIsNoUtf8IsRefused) {
  EXPECT_THAT([] { tokenize("a\xff", "t"); },
              throws_error(ErrorKind::data, "t: not valid UTF-8 at byte 1"));
  EXPECT_THAT([] { tokenize(std::string((1 << 20) + 1, 'x'), "t"); },
              throws_error(ErrorKind::data, "larger than 1 MiB"));
}

}  // namespace
}  // namespace cupel::jinja
