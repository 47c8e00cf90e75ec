#include "data/jinja/token_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

TEST(JinjaTokenStream, WhatMustStandHereAndDoesNotIsNamedWithItsLine) {
  TokenStream tokens(tokenize("\n{{ a }}", "t"), "t");
  tokens.next();
  tokens.next();
  EXPECT_TRUE(tokens.at_name("a"));
  EXPECT_FALSE(tokens.skip_sign("+"));
  EXPECT_THAT([&] { tokens.expect_sign("+"); },
              throws_error(ErrorKind::data, "t:2: expected \"+\", not \"a\""));
  EXPECT_EQ(tokens.take_name(), "a");
}

TEST(JinjaTokenStream, TheEndIsNeverPassed) {
  TokenStream tokens(tokenize("", "t"), "t");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(tokens.next().kind, TokenKind::end);
}

}  // namespace
}  // namespace cupel::jinja
