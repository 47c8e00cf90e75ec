#include "curate/topic_stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "curate/topic_texts.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::curate {
namespace {

std::string rows_of(const std::vector<std::string>& texts) {
  std::string rows;
  for (const std::string& text : texts) rows += "{\"text\": \"" + text + "\"}\n";
  return rows;
}

/// 60 documents about the body, then 20 about money.
struct Corpus {
  TemporaryFolder folder;
  std::filesystem::path input = folder.write(
      "input.jsonl", rows_of(texts_about(kBody, 60, 3)) + rows_of(texts_about(kMoney, 20, 4)));
  TopicConfig config = {
      .reference = {folder.write("body.jsonl", rows_of(texts_about(kBody, 80, 1))).string()},
      .background = {folder.write("money.jsonl", rows_of(texts_about(kMoney, 80, 2))).string()},
      .score = TopicScore::ngram};
};

struct TopicResult {
  std::vector<int64_t> dropped;
  std::vector<double> probabilities;
  TopicReport report;
};

TopicResult drop(const Corpus& corpus, int threads) {
  RunOptions options;
  options.threads = threads;
  cupel::Run run(options);
  ParserPool parsers("text", "id", {});
  RowStore rows({});
  const std::vector<RowStage> none;
  FirstReject reject;
  scan_file(corpus.input, false, {none, parsers, rows, reject, 4096, run});
  TopicResult result;
  result.report = drop_off_topic(corpus.config, "text", parsers, rows, 0, run);
  for (int64_t row = 0; row < rows.size(); ++row) {
    const RowRecord record = rows.record(row);
    if (record.rule == 0) continue;
    EXPECT_EQ(rows.rule(record.rule).stage, "topic");
    EXPECT_LE(record.value, record.threshold);
    result.dropped.push_back(row);
    result.probabilities.push_back(record.value);
  }
  return result;
}

TEST(TopicStage, DropsWhatIsOfAnotherDomain) {
  const Corpus corpus;
  const TopicResult result = drop(corpus, 2);
  ASSERT_EQ(result.dropped.size(), 20u);
  EXPECT_EQ(result.dropped.front(), 60);
  EXPECT_NEAR(result.report.balance, 0.75, 0.05);
  EXPECT_EQ(result.report.balance_from, "input");
  EXPECT_GT(result.report.auc, 0.99);
  EXPECT_EQ(result.report.warning, std::nullopt);
}

TEST(TopicStage, SaysThatItFindsNoBackgroundInACleanInputAndDropsNothing) {
  Corpus corpus;
  corpus.input = corpus.folder.write("clean.jsonl", rows_of(texts_about(kBody, 60, 3)));
  const TopicResult clean = drop(corpus, 1);
  EXPECT_THAT(clean.dropped, testing::IsEmpty());
  EXPECT_EQ(clean.report.balance, 61.0 / 62);
  EXPECT_THAT(clean.report.warning.value(),
              testing::AllOf(testing::HasSubstr("no background among the 60 rows"),
                             testing::HasSubstr("set topic.balance")));
  corpus.config.balance = 0.9;
  EXPECT_EQ(drop(corpus, 1).report.warning, std::nullopt) << "the settings say it";
}

TEST(TopicStage, SaysThatItFindsNothingOfTheDomainInAnInputOfAnother) {
  Corpus corpus;
  corpus.input = corpus.folder.write("other.jsonl", rows_of(texts_about(kMoney, 20, 4)));
  const TopicResult other = drop(corpus, 1);
  EXPECT_EQ(other.dropped.size(), 20u);
  EXPECT_THAT(other.report.warning.value(),
              testing::HasSubstr("nothing of the domain among the 20 rows"));
}

TEST(TopicStage, DecidesTheSameForEveryNumberOfThreads) {
  const Corpus corpus;
  const TopicResult one = drop(corpus, 1), seven = drop(corpus, 7);
  EXPECT_EQ(one.dropped, seven.dropped);
  EXPECT_EQ(one.probabilities, seven.probabilities);
}

TEST(TopicStage, ReadsPlainTextAsADocumentALine) {
  Corpus rows, lines;
  const auto as_lines = [&](const std::string& name, const auto& words, uint64_t seed) {
    std::string text;
    for (const std::string& document : texts_about(words, 80, seed)) text += document + "\n";
    return Path{lines.folder.write(name, text).string()};
  };
  lines.config.reference = as_lines("body.txt", kBody, 1);
  lines.config.background = as_lines("money.txt", kMoney, 2);
  EXPECT_EQ(drop(rows, 1).probabilities, drop(lines, 1).probabilities);
}

TEST(TopicStage, SaysThatAReferenceIsTooSmall) {
  Corpus corpus;
  corpus.config.reference = {corpus.folder.write("few.jsonl", rows_of(texts_about(kBody, 3, 1)))};
  EXPECT_THAT([&] { drop(corpus, 1); },
              throws_error(ErrorKind::data, "few.jsonl: has 3 documents, where 5 folds need 10"));
}

}  // namespace
}  // namespace cupel::curate
