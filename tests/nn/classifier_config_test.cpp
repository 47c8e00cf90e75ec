#include "nn/classifier_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"

namespace cupel::nn {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::filesystem::path kClassifier =
    std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures/classify";

TEST(ClassifierConfig, ReadsClassesInTheOrderOfTheirNumbers) {
  const ClassifierConfig config = parse_classifier_config(
      R"({"model_type": "bert", "id2label": {"1": "b", "10": "k", "0": "a", "2": "c", "3": "d",
          "4": "e", "5": "f", "6": "g", "7": "h", "8": "i", "9": "j"}, "pad_token_id": 3})",
      "c");
  EXPECT_EQ(config.labels.size(), 11u);
  EXPECT_EQ(config.labels.back(), "k");
  EXPECT_EQ(config.pad_token_id, 3);
  EXPECT_THAT(parse_classifier_config(R"({"model_type": "bert"})", "c").labels, IsEmpty());
}

TEST(ClassifierConfig, RefusesClassesThatAreMissingOrShareAName) {
  const auto parse = [](const std::string& labels) {
    return [labels] {
      parse_classifier_config("{\"model_type\": \"bert\", \"id2label\": " + labels + "}", "c");
    };
  };
  EXPECT_THAT(parse(R"({"0": "a", "2": "b"})"),
              throws_error(ErrorKind::data, "c: id2label: \"2\" is no class of 2"));
  EXPECT_THAT(parse(R"({"0": "a", "x": "b"})"), throws_error(ErrorKind::data, "\"x\" is no class"));
  EXPECT_THAT(parse(R"({"0": "a", "00": "b"})"),
              throws_error(ErrorKind::data, "\"00\" is no class"));
  EXPECT_THAT(parse(R"({"0": "a", "1": "a"})"),
              throws_error(ErrorKind::data, "two classes are called \"a\""));
}

TEST(ClassifierConfig, ReadsWhatItWrites) {
  ClassifierConfig config = read_classifier_config(kClassifier);
  EXPECT_THAT(config.labels, ElementsAre("complaint", "praise", "question", "request"));
  config.labels = {"10", "9", "x\"y"};
  config.pad_token_id = 4;
  const ClassifierConfig again =
      parse_classifier_config(json::dump(to_hf_json(config, 0.25)), "written");
  EXPECT_EQ(again.labels, config.labels);
  EXPECT_EQ(again.pad_token_id, 4);
  EXPECT_EQ(again.encoder.hidden_size, config.encoder.hidden_size);
  EXPECT_EQ(again.encoder.vocab_size, config.encoder.vocab_size);
  EXPECT_EQ(to_hf_json(config, 0.25).at("classifier_dropout", "").as_double(""), 0.25);
}

TEST(ClassifierConfig, KnowsTheHeadOfAFolderByItsWeights) {
  EXPECT_EQ(head_labels(kClassifier), read_classifier_config(kClassifier).labels);
  EXPECT_EQ(head_labels(kClassifier / "../encoder/tiny"), std::nullopt);
  const TemporaryFolder folder;
  EXPECT_THAT([&] { read_classifier_config(folder.path()); },
              throws_error(ErrorKind::config, "folder has no config.json"));
}

TEST(ClassifierConfig, CountsTheNumbersOfItsTensors) {
  const ClassifierConfig config = read_classifier_config(kClassifier);
  const int64_t w = 24, inner = 40, v = config.encoder.vocab_size;
  const int64_t layer = 4 * w * (w + 1) + 2 * w * inner + inner + w + 4 * w;
  EXPECT_EQ(parameter_count(config),
            (v + 32 + 2) * w + 2 * w + 2 * layer + w * (w + 1) + 4 * (w + 1));
}

}  // namespace
}  // namespace cupel::nn
