#include "data/tokenizer/post_processor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"

namespace cupel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Surroundings surroundings_of(const std::string& text) {
  return parse_post_processor(json::parse(text, "t"), "t.json: post_processor", 10);
}

const std::string kTemplate = R"({"type": "TemplateProcessing",
  "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}},
             {"SpecialToken": {"id": "</s>"}}],
  "special_tokens": {"<s>": {"ids": [7, 8]}, "</s>": {"ids": [9]}}})";

TEST(PostProcessor, GivesTheTokensBeforeAndAfterAText) {
  for (const std::string& text :
       {kTemplate,
        R"({"type": "Sequence", "processors": [{"type": "ByteLevel"}, )" + kTemplate + "]}"}) {
    const Surroundings around = surroundings_of(text);
    EXPECT_THAT(around.before, ElementsAre(7, 8));
    EXPECT_THAT(around.after, ElementsAre(9));
  }
  EXPECT_THAT(surroundings_of("null").before, IsEmpty());
  EXPECT_THAT(surroundings_of(R"({"type": "ByteLevel"})").after, IsEmpty());
}

TEST(PostProcessor, BertAndRobertaNameOneTokenOnEachSide) {
  for (const std::string type : {"BertProcessing", "RobertaProcessing"}) {
    const Surroundings around =
        surroundings_of(R"({"type": ")" + type + R"(", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]})");
    EXPECT_THAT(around.before, ElementsAre(2));
    EXPECT_THAT(around.after, ElementsAre(3));
  }
}

TEST(PostProcessor, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT([] { surroundings_of(R"({"type": "Other"})"); },
              throws_error(ErrorKind::data, "unknown post-processor \"Other\"; known: Bert"));
  EXPECT_THAT([] { surroundings_of(R"({"type": "BertProcessing", "cls": ["[CLS]"]})"); },
              throws_error(ErrorKind::data, "cls: expected a token and its id"));
  EXPECT_THAT([] { surroundings_of(R"({"type": "BertProcessing", "cls": ["[CLS]", -1]})"); },
              throws_error(ErrorKind::data, "cls: id -1 is no token"));
  std::string damaged = kTemplate;
  damaged.replace(damaged.find("[9]"), 3, "[10]");
  EXPECT_THAT([&] { surroundings_of(damaged); },
              throws_error(ErrorKind::data, "special_tokens: id 10 is no token"));
  EXPECT_THAT(
      [] {
        surroundings_of(R"({"type": "TemplateProcessing", "special_tokens": {},
              "single": [{"Sequence": {"id": "A"}}, {"Sequence": {"id": "A"}}]})");
      },
      throws_error(ErrorKind::data, "single: holds the text twice"));
}

}  // namespace
}  // namespace cupel
