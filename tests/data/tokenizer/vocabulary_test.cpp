#include "data/tokenizer/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"

namespace cupel {
namespace {

using testing::ElementsAre;

Vocabulary parse_vocabulary(const std::string& text) {
  return Vocabulary::parse(json::parse(text, "t"), "t.json: model.vocab");
}

TEST(TokenizerVocabulary, KnowsTokensAndIdsBothWays) {
  const Vocabulary vocabulary = parse_vocabulary(R"({"b": 3, "a": 0})");
  EXPECT_THAT(vocabulary.tokens, ElementsAre("a", "", "", "b"));
  EXPECT_EQ(vocabulary.ids.find(std::string_view("b"))->second, 3);
  EXPECT_EQ(vocabulary.ids.size(), 2u);
}

TEST(TokenizerVocabulary, RefusesWhatContradictsItself) {
  const auto refused = [](const char* text, const char* message) {
    EXPECT_THAT([=] { parse_vocabulary(text); }, throws_error(ErrorKind::data, message));
  };
  refused(R"({"a": 0, "b": 0})", "t.json: model.vocab: \"a\" and \"b\" have the same id 0");
  refused(R"({"": 0})", "t.json: model.vocab: holds an empty token");
  refused(R"({"a": -1})", "t.json: model.vocab: \"a\": id -1 is not in 0 to 1048575");
  refused(R"({"a": 1048576})", "id 1048576 is not in 0 to 1048575");
}

}  // namespace
}  // namespace cupel
