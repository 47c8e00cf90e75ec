#include "train/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::train {
namespace {

cupel::Run test_run() {
  RunOptions options;
  options.threads = 1;
  return cupel::Run(options);
}

Config config_of(DatasetConfig set, double share) {
  Config config;
  config.datasets.push_back(std::move(set));
  config.val_set_size = share;
  config.sequence_len = 64;
  config.tokenizer.vocab_size = 260;
  return config;
}

TEST(Dataset, ASingleDocumentIsCutAfterALineNearTheShare) {
  const TemporaryFolder temporary;
  std::string text;
  for (int i = 0; i < 100; ++i) text += "line " + std::to_string(i) + "\n";
  DatasetConfig set;
  set.path = {temporary.write("text.txt", text).string()};
  cupel::Run run = test_run();
  const std::vector<TextSet> sets = load_texts(config_of(set, 0.1), run);
  ASSERT_EQ(sets[0].train.size(), 1u);
  ASSERT_EQ(sets[0].validation.size(), 1u);
  const std::string& first = sets[0].train[0].target;
  EXPECT_EQ(first + sets[0].validation[0].target, text);
  EXPECT_EQ(first.back(), '\n');
  EXPECT_NEAR(static_cast<double>(first.size()), 0.9 * static_cast<double>(text.size()), 10);
}

TEST(Dataset, ARowNeverChangesSidesWhenOthersAreAdded) {
  const TemporaryFolder temporary;
  std::string few, many;
  for (int i = 0; i < 400; ++i) {
    const std::string row =
        R"({"prompt": "p)" + std::to_string(i) + R"(", "completion": "c"})" + "\n";
    if (i < 200) few += row;
    many += row;
  }
  DatasetConfig set;
  set.type = DatasetType::completion;
  cupel::Run run = test_run();
  const auto validation = [&](const std::string& text) {
    set.path = {temporary.write("rows.jsonl", text).string()};
    std::vector<std::string> prompts;
    const std::vector<TextSet> sets = load_texts(config_of(set, 0.2), run);
    for (const Text& row : sets[0].validation) prompts.push_back(row.context);
    return prompts;
  };
  const auto before = validation(few), after = validation(many);
  EXPECT_GT(before.size(), 20u);
  ASSERT_GE(after.size(), before.size());
  EXPECT_TRUE(std::equal(before.begin(), before.end(), after.begin()));
}

TEST(Dataset, ARowWithoutItsFieldIsRejectedAndCounted) {
  const TemporaryFolder temporary;
  DatasetConfig set;
  set.type = DatasetType::completion;
  set.path = {temporary
                  .write("rows.jsonl", R"({"prompt": "a", "completion": "b"})"
                                       "\n"
                                       R"({"prompt": "a"})"
                                       "\n")
                  .string()};
  cupel::Run run = test_run();
  EXPECT_EQ(load_texts(config_of(set, 0), run)[0].train.size(), 1u);
  EXPECT_EQ(run.rejected(), 1);
}

TEST(Dataset, PromptsAreReadAndCompletionsAreLearned) {
  std::vector<TextSet> texts(1);
  texts[0].train = {{"ab", "cd"}};
  texts[0].cut = Cut::packed;
  const Config config = config_of({}, 0);
  cupel::Run run = test_run();
  const Tokenizer tokenizer = make_tokenizer(config, texts, run);
  const Dataset dataset = tokenize(config, texts, tokenizer, run);
  const TokenStream& stream = dataset.train[0].stream;
  ASSERT_EQ(stream.ids.size(), 5u);  // a b c d <|endoftext|>
  EXPECT_THAT(stream.learned, testing::ElementsAre(0, 0, 1, 1, 1));
  EXPECT_EQ(stream.ids.back(), tokenizer.eos_id());
  EXPECT_EQ(stream.learned_bytes, 2);
}

TEST(Dataset, ARowLongerThanASequenceIsRejected) {
  std::vector<TextSet> texts(1);
  texts[0].train = {{"", std::string(200, 'x') + "y" + std::string(100, 'z') + "w"}, {"", "short"}};
  texts[0].cut = Cut::packed;
  Config config = config_of({}, 0);
  config.sequence_len = 8;
  cupel::Run run = test_run();
  tokenize(config, texts, make_tokenizer(config, texts, run), run);
  EXPECT_EQ(run.rejected(), 1);
}

}  // namespace
}  // namespace cupel::train
