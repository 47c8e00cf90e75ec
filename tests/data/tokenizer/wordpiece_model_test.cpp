#include "data/tokenizer/wordpiece_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"

namespace cupel {
namespace {

using testing::ElementsAre;

WordPieceModel parse_model(const std::string& members) {
  return WordPieceModel::parse(
      json::parse(
          R"({"type": "WordPiece", "vocab": {"[UNK]": 0, "un": 1, "##able": 2, "##a": 3, "$b": 4, "unab": 5})" +
              members + "}",
          ""),
      "model");
}

std::vector<int32_t> encode(const WordPieceModel& model, std::string_view word) {
  std::vector<int32_t> ids;
  model.encode_word(word, ids);
  return ids;
}

TEST(WordPieceModel, TakesTheLongestPieceFirst) {
  EXPECT_THAT(encode(parse_model(""), "unable"), ElementsAre(0)) << "unab, then nothing for le";
  EXPECT_THAT(encode(parse_model(""), "una"), ElementsAre(1, 3));
  EXPECT_THAT(encode(parse_model(""), "unaable"), ElementsAre(1, 3, 2));
  EXPECT_THAT(encode(parse_model(""), ""), ElementsAre());
}

TEST(WordPieceModel, PrefixAndLimitAreThoseOfTheFile) {
  const WordPieceModel model =
      parse_model(R"(, "continuing_subword_prefix": "$", "max_input_chars_per_word": 3)");
  EXPECT_THAT(encode(model, "unb"), ElementsAre(1, 4));
  EXPECT_THAT(encode(model, "unbb"), ElementsAre(0)) << "too long";
  EXPECT_EQ(model.tokens().size(), 6u);
  EXPECT_EQ(model.ids().find("unab")->second, 5);
}

TEST(WordPieceModel, AVocabularyWithoutTheUnknownTokenIsRefused) {
  EXPECT_THAT(
      [] { parse_model(R"(, "unk_token": "<unk>")"); },
      throws_error(ErrorKind::data, "model: the unknown token \"<unk>\" is not in the vocabulary"));
  EXPECT_THAT([] { parse_model(R"(, "max_input_chars_per_word": 0)"); },
              throws_error(ErrorKind::data, "0 is not in 1 to 1000"));
}

}  // namespace
}  // namespace cupel
