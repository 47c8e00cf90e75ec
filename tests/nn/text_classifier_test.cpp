#include "nn/text_classifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::nn {
namespace {

const std::filesystem::path kClassifier =
    std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures/classify";

std::vector<float> chances_of(const TextClassifier& classifier, std::vector<std::string> texts) {
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  return classifier.classify(views).chances;
}

TEST(TextClassifier, SaysTheSameOfATextAloneAndAmongOthers) {
  ThreadPool pool(2);
  const TextClassifier classifier = text_classifier(kClassifier, pool);
  ASSERT_EQ(classifier.labels.size(), 4u);
  std::vector<std::string> texts{"", "the cat is good", "where"};
  for (int i = 0; i < 40; ++i)
    texts.push_back("my dog " + std::string(static_cast<std::size_t>(i % 9 + 1), 'a'));
  const std::vector<float> all = chances_of(classifier, texts);
  ASSERT_EQ(all.size(), texts.size() * 4);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::vector<float> one = chances_of(classifier, {texts[i]});
    float sum = 0;
    for (std::size_t c = 0; c < 4; ++c) {
      EXPECT_EQ(one[c], all[4 * i + c]) << texts[i];
      sum += one[c];
    }
    EXPECT_NEAR(sum, 1, 1e-5);
  }
}

TEST(TextClassifier, CountsTheTextsOfWhichItReadsTheBeginning) {
  ThreadPool pool(2);
  const TextClassifier classifier = text_classifier(kClassifier, pool);
  std::string text = "the cat";
  for (int i = 0; i < 28; ++i) text += " good";
  const std::string longer = text + " bad bad bad";  // 30 words and what stands around are 32
  const std::vector<std::string_view> both{text, longer};
  const Classified found = classifier.classify(both);
  EXPECT_EQ(found.shortened, 1);
  for (std::size_t c = 0; c < 4; ++c) EXPECT_EQ(found.chances[c], found.chances[4 + c]);
}

TEST(TextClassifier, RefusesATokenizerWithMoreTokensThanTheModel) {
  const TemporaryFolder folder;
  for (const char* name : {"model.safetensors", "config.json"})
    std::filesystem::copy_file(kClassifier / name, folder / name);
  std::string tokenizer = read_file(kClassifier / "tokenizer.json");
  const std::size_t at = tokenizer.find("\"[UNK]\": 1");
  ASSERT_NE(at, std::string::npos);
  tokenizer.insert(at, "\"more\": 200, ");
  folder.write("tokenizer.json", tokenizer);
  ThreadPool pool(1);
  EXPECT_THAT([&] { text_classifier(folder.path(), pool); },
              throws_error(ErrorKind::data, "tokenizer.json has 201 tokens"));
}

}  // namespace
}  // namespace cupel::nn
