#include "data/tokenizer/added_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cupel {
namespace {

using testing::ElementsAre;

/// Stretches as they are, tokens as [id].
std::vector<std::string> cut(const std::vector<AddedToken>& tokens, std::string_view text) {
  AddedTokenFinder finder;
  for (const AddedToken& token : tokens) finder.add(token);
  std::vector<std::string> pieces;
  finder.cut(
      text, [&](std::string_view stretch) { pieces.emplace_back(stretch); },
      [&](int32_t id) { pieces.push_back("[" + std::to_string(id) + "]"); });
  return pieces;
}

TEST(AddedTokens, CutTheTextIntoStretchesAndTokens) {
  const std::vector<AddedToken> tokens{{1, "<s>"}, {2, "</s>"}};
  EXPECT_THAT(cut(tokens, "a<s>b</s>"), ElementsAre("a", "[1]", "b", "[2]"));
  EXPECT_THAT(cut(tokens, "<s><s>"), ElementsAre("[1]", "[1]")) << "no empty stretches";
  EXPECT_THAT(cut(tokens, "<s"), ElementsAre("<s"));
  EXPECT_THAT(cut(tokens, "<<s>"), ElementsAre("<", "[1]"));
  EXPECT_THAT(cut(tokens, ""), ElementsAre());
  EXPECT_THAT(cut({}, "plain"), ElementsAre("plain"));
  EXPECT_THAT(cut({{3, ""}}, "plain"), ElementsAre("plain")) << "an empty token is never found";
}

TEST(AddedTokens, TheLeftmostAndThenTheLongestIsTaken) {
  const std::vector<AddedToken> tokens{{1, "ab"}, {2, "abc"}, {3, "bcd"}, {4, "b"}};
  EXPECT_THAT(cut(tokens, "abcd"), ElementsAre("[2]", "d"));
  EXPECT_THAT(cut(tokens, "abab"), ElementsAre("[1]", "[1]"));
  EXPECT_THAT(cut(tokens, "xbcdb"), ElementsAre("x", "[3]", "[4]"));
}

TEST(AddedTokens, StripTakesWhiteSpaceOfAnyKindAlong) {
  AddedToken token{1, "|"};
  token.lstrip = true;
  EXPECT_THAT(cut({token}, "a \t\u00a0| b"), ElementsAre("a", "[1]", " b"));
  token.rstrip = true;
  EXPECT_THAT(cut({token}, "  |\n\u2003| \u3000"), ElementsAre("[1]", "[1]"));
  token.lstrip = false;
  EXPECT_THAT(cut({token}, "a | b"), ElementsAre("a ", "[1]", "b"));
}

TEST(AddedTokens, ASingleWordStandsBetweenCharactersThatAreNoneOfAWord) {
  AddedToken token{1, "go"};
  token.single_word = true;
  EXPECT_THAT(cut({token}, "go, go!"), ElementsAre("[1]", ", ", "[1]", "!"));
  EXPECT_THAT(cut({token}, "gone ago _go go_ 1go égo goé"),
              ElementsAre("gone ago _go go_ 1go égo goé"));
  EXPECT_THAT(cut({token}, "“go”"), ElementsAre("“", "[1]", "”"));
}

TEST(AddedTokens, AreFoundAmongCharactersOfManyBytes) {
  EXPECT_THAT(cut({{1, "中"}, {2, "😀"}}, "é中文😀"), ElementsAre("é", "[1]", "文", "[2]"));
}

TEST(AddedTokens, HostileSetsCostNoMoreThanTheLongestTokenForEachByte) {
  std::vector<AddedToken> tokens;
  for (int i = 1; i <= 300; ++i)
    tokens.push_back({i, std::string(static_cast<std::size_t>(i), 'a') + "b"});
  EXPECT_THAT(cut(tokens, std::string(100'000, 'a')), ElementsAre(std::string(100'000, 'a')));
}

}  // namespace
}  // namespace cupel
