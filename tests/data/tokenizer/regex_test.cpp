#include "data/tokenizer/regex.h"

#include <gtest/gtest.h>

#include <thread>

#include "support/errors.h"
#include "support/tokenizer_parts.h"

namespace cupel {
namespace {

/// The text of the first match, or "-".
std::string found(const std::string& pattern, std::string_view text, std::size_t from = 0) {
  const auto match = Regex(pattern, "p").find(text, from);
  return match ? std::string(text.substr(match->begin, match->end - match->begin)) : "-";
}

TEST(Regex, FindsTheFirstMatchFromAPlaceOn) {
  EXPECT_EQ(found("b+", "abbcb"), "bb");
  EXPECT_EQ(found("b+", "abbcb", 2), "b");
  EXPECT_EQ(found("b+", "abbcb", 5), "-");
  EXPECT_EQ(found("^b", "a\nb", 1), "b") << "^ matches at line breaks";
  EXPECT_EQ(found("x*", "ab"), "");
}

TEST(Regex, LooksBehindThePlaceItStartsFrom) { EXPECT_EQ(found("(?<=a)b", "ab", 1), "b"); }

TEST(Regex, ClassesAreThoseOfUnicode) {
  EXPECT_EQ(found("\\p{L}+", "1é中x2"), "é中x");
  EXPECT_EQ(found("\\p{N}+", "a½Ⅷ٣b"), "½Ⅷ٣");
  EXPECT_EQ(found("(?i:ſ)", "S"), "S");
  EXPECT_EQ(found("\\w+", "-é_1-"), "é_1");
  EXPECT_EQ(found(".", "😀"), "😀");
}

TEST(Regex, ClassesAreThoseOfTheReferenceForEveryCharacter) {
  for (const std::string name :
       {"\\p{L}", "\\p{N}", "\\p{P}", "\\p{S}", "\\p{M}", "\\p{Lu}", "\\w", "\\d", "\\P{L}"}) {
    const Regex alone(name, "p"), bracketed("[" + name + "]", "p");
    const bool negated = name.starts_with("\\P");  // of which brackets have no later characters
    for_each_character(name, [&](int32_t c, bool inside) {
      std::string text;
      append_character(c, text);
      ASSERT_EQ(alone.find(text, 0).has_value(), inside) << name << " U+" << std::hex << c;
      ASSERT_TRUE(negated || bracketed.find(text, 0).has_value() == inside)
          << name << " U+" << std::hex << c;
    });
  }
}

TEST(Regex, WhiteSpaceIsWhatUnicodeCallsSo) {
  for (const char* space :
       {" ", "\t", "\n", "\v", "\u0085", "\u00a0", "\u2003", "\u2028", "\u3000"}) {
    EXPECT_EQ(found("\\s", space), space);
    EXPECT_EQ(found("[\\s]", space), space);
    EXPECT_EQ(found("\\S", space), "-");
  }
  for (const char* other : {"\u180e", "\u200b", "\ufeff", "a"}) {
    EXPECT_EQ(found("\\s", other), "-");
    EXPECT_EQ(found("[^\\s\\p{L}]", std::string(other) + "!"),
              other == std::string("a") ? "!" : other);
  }
  EXPECT_EQ(found("\\\\s", "\\s"), "\\s") << "an escaped backslash is none of ours";
}

TEST(Regex, LiteralTextIsNoPattern) {
  const auto match = Regex::literal("a.*\\s(", "p").find("xa.*\\s(", 0);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->begin, 1u);
  EXPECT_FALSE(Regex::literal("a.c", "p").find("abc", 0));
}

TEST(Regex, APatternThatDoesNotCompileIsNamedWithItsPlace) {
  EXPECT_THAT(
      [] { Regex("a(", "p.pattern"); },
      throws_error(ErrorKind::data, "p.pattern: pattern does not compile at byte 2: missing"));
  EXPECT_THAT([] { Regex("\\C", "p"); }, throws_error(ErrorKind::data, "pattern does not compile"));
  EXPECT_THAT([] { Regex("\xff", "p"); },
              throws_error(ErrorKind::data, "does not compile at byte 0"));
  EXPECT_THAT([] { Regex(std::string(70'000, 'a'), "p"); },
              throws_error(ErrorKind::data, "p: pattern longer than 64 KiB; simplify the pattern"));
  EXPECT_THAT([] { Regex(std::string(30'000, '('), "p"); },
              throws_error(ErrorKind::data, "pattern does not compile"));
}

TEST(Regex, AMatchThatTakesForeverIsGivenUp) {
  EXPECT_THAT([] { found("(a+)+[bc]", std::string(60, 'a')); },
              throws_error(ErrorKind::data, "p: matching was given up: "));
  EXPECT_THAT([] { found("(x|xx|xxx)*[yz]", std::string(60, 'x')); },
              throws_error(ErrorKind::data, "matching was given up"));
}

TEST(Regex, LongTextsThatNeedMuchStackAreMatched) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "ab";
  EXPECT_EQ(found("(?:a|b)+", text).size(), text.size());
  EXPECT_EQ(found("\\p{L}+", text).size(), text.size());
}

TEST(Regex, ThreadsMayShareOne) {
  const Regex regex("\\p{L}+", "p");
  std::vector<std::thread> threads;
  std::vector<int> good(4);
  for (int& count : good) {
    threads.emplace_back([&regex, &count] {
      for (int i = 0; i < 1000; ++i) count += regex.find("1abc2", 0)->end == 4;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, std::vector<int>(4, 1000));
}

}  // namespace
}  // namespace cupel
