#include "train/classify_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/atomic_file.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::train {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kModel = std::string(CUPEL_SOURCE_DIR) + "/tests/fixtures/classify";

/// `rows` of a text and a label.
std::filesystem::path write_rows(const TemporaryFolder& folder,
                                 const std::vector<std::pair<std::string, std::string>>& rows) {
  std::string text;
  for (const auto& [body, label] : rows)
    text += json::dump(json::Object{{"text", body}, {"label", label}}) + "\n";
  return folder.write("rows.jsonl", text);
}

Config rows_config(const std::filesystem::path& rows) {
  Config config;
  config.task = Task::classify;
  config.base_model = {kModel};
  config.datasets = {{.path = {rows.string()}}};
  config.sequence_len = 8;
  config.val_set_size = 0;
  config.micro_batch_size = 4;
  return config;
}

struct Read {
  ClassifiedRows rows;
  std::vector<std::string> warnings, notes;
};

Read read_rows(const Config& config, const std::filesystem::path& folder = {},
               const std::optional<std::vector<std::string>>& known = {}) {
  RunOptions options;
  options.folder = folder;
  options.threads = 1;
  cupel::Run run(options);
  Read read;
  run.subscribe([&](const Event& event) {
    if (event.kind == Event::Kind::log)
      (event.level == LogLevel::warning ? read.warnings : read.notes).emplace_back(event.text);
  });
  read.rows = load_classified(config, Tokenizer::load(kModel), known, run);
  return read;
}

TEST(ClassifyRows, SortsLabelsAndPutsTokensBetweenWhatStandsAround) {
  const TemporaryFolder folder;
  const auto path = write_rows(
      folder, {{"the cat", "praise"}, {"my dog", "complaint"}, {"", "praise"}, {"x", "complaint"}});
  const Read read = read_rows(rows_config(path));
  EXPECT_THAT(read.rows.labels, ElementsAre("complaint", "praise"));
  ASSERT_EQ(read.rows.train.at(0).rows.size(), 4u);
  const Tokenizer tokenizer = Tokenizer::load(kModel);
  EXPECT_EQ(read.rows.train[0].rows[0].ids, tokenizer.encode("the cat", true));
  EXPECT_EQ(read.rows.train[0].rows[0].label, 1);
  EXPECT_EQ(read.rows.train[0].rows[2].ids.size(), 2u) << "[CLS] [SEP]";
  EXPECT_THAT(read.warnings, testing::IsEmpty());
}

TEST(ClassifyRows, KeepsTheOrderOfAHeadThatKnowsEveryLabel) {
  const TemporaryFolder folder;
  const auto path = write_rows(folder, {{"a", "x"}, {"b", "y"}, {"c", "x"}, {"d", "y"}});
  EXPECT_THAT(read_rows(rows_config(path), {}, {{"y", "z", "x"}}).rows.labels,
              ElementsAre("y", "z", "x"));
  EXPECT_THAT(read_rows(rows_config(path), {}, {{"y", "z"}}).rows.labels, ElementsAre("x", "y"));
}

TEST(ClassifyRows, LongRowsGoAsChosenAndEndTheRunWhereNothingIs) {
  const TemporaryFolder folder;
  const auto path = write_rows(folder, {{"the cat", "a"},
                                        {"the cat is good the dog is bad", "a"},
                                        {"my dog", "b"},
                                        {"good food", "b"}});
  Config config = rows_config(path);
  EXPECT_THAT([&] { read_rows(config); },
              throws_exactly(ErrorKind::data,
                             path.string() + ":2: the row has 10 tokens, more than sequence_len 8; "
                                             "set excess_length_strategy: drop or truncate; or "
                                             "raise sequence_len"));
  config.excess_length_strategy = ExcessLength::raise;
  EXPECT_THAT([&] { read_rows(config); },
              throws_error(ErrorKind::data, "choose another excess_length_strategy"));
  config.excess_length_strategy = ExcessLength::truncate;
  Read read = read_rows(config);
  const std::vector<int32_t>& ids = read.rows.train[0].rows.at(1).ids;
  EXPECT_EQ(ids.size(), 8u);
  EXPECT_EQ(ids.back(), read.rows.train[0].rows[0].ids.back()) << "[SEP] stays";
  EXPECT_THAT(read.notes, ElementsAre(path.string() + ": 4 rows: 3 whole, 1 cut short"));
  config.excess_length_strategy = ExcessLength::drop;
  read = read_rows(config, folder / "run");
  EXPECT_EQ(read.rows.train[0].rows.size(), 3u);
  EXPECT_THAT(read_file(folder / "run/rejects.jsonl"), HasSubstr("longer_than_sequence_len"));
}

TEST(ClassifyRows, HoldsOutEqualTextsTogetherWhateverTheirLabels) {
  const TemporaryFolder folder;
  std::vector<std::pair<std::string, std::string>> rows;
  for (int i = 0; i < 300; ++i) {
    const std::string word{static_cast<char>('a' + i % 26), static_cast<char>('a' + i / 26)};
    for (const char* label : {"a", "b"}) rows.emplace_back("cat " + word, label);
  }
  Config config = rows_config(write_rows(folder, rows));
  config.sequence_len = 32;
  config.val_set_size = 0.2;
  const Read read = read_rows(config);
  const std::size_t held_out = read.rows.validation.size();
  EXPECT_EQ(held_out + read.rows.train[0].rows.size(), 600u);
  EXPECT_EQ(held_out % 2, 0u);
  EXPECT_NEAR(static_cast<double>(held_out), 120, 40);
  std::map<std::vector<int32_t>, int> texts;
  for (const nn::ClassifiedRow& row : read.rows.validation) ++texts[row.ids];
  for (const auto& [ids, count] : texts) EXPECT_EQ(count, 2);
}

TEST(ClassifyRows, WarnsOfClassesThatCanHardlyBeLearned) {
  const TemporaryFolder folder;
  const auto path = write_rows(folder, {{"a", "x"}, {"b", "x"}, {"c", "rare"}});
  EXPECT_THAT(read_rows(rows_config(path)).warnings,
              ElementsAre("fewer than two rows have label \"rare\""));
  std::vector<std::pair<std::string, std::string>> rows;
  for (int i = 0; i < 40; ++i) rows.emplace_back("text " + std::to_string(i), "x");
  for (int i = 0; i < 60; ++i)
    rows.emplace_back("one " + std::to_string(i), "r" + std::to_string(i));
  Config config = rows_config(write_rows(folder, rows));
  config.sequence_len = 32;
  config.val_set_size = 0.5;
  EXPECT_THAT(read_rows(config).warnings,
              ElementsAre(HasSubstr("\"r0\", \"r1\", \"r10\", \"r11\", \"r12\" and 55 more"),
                          HasSubstr("every row was held out for validation, so nothing is learned, "
                                    "of label \"r")));
}

TEST(ClassifyRows, RefusesOneClassAndASetThatLeavesNothing) {
  const TemporaryFolder folder;
  Config config = rows_config(write_rows(folder, {{"a", "x"}, {"b", "x"}}));
  EXPECT_THAT([&] { read_rows(config); },
              throws_error(ErrorKind::data, "every row has label \"x\"; a classifier needs two"));
  config = rows_config(write_rows(
      folder, {{"the cat is good the dog is bad", "x"}, {"the dog is good the cat is bad", "y"}}));
  config.excess_length_strategy = ExcessLength::drop;
  EXPECT_THAT([&] { read_rows(config); },
              throws_error(ErrorKind::data, "no row is left to train on"));
}

}  // namespace
}  // namespace cupel::train
