#include "curate/substring_stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"

namespace cupel::curate {
namespace {

constexpr const char* kNotice =
    "All rights to this article are reserved by the publisher, and no part of it may be copied "
    "without written leave. Letters should be sent to the office in London. ";

struct SubstringResult {
  std::vector<std::string> json;
  std::vector<std::string> rules;  // "" of a row that stays
  std::vector<RowRecord> records;
  std::vector<std::vector<Edit>> edits;
};

/// Of rows with these texts, `earlier` of them from an earlier corpus.
SubstringResult cut(const std::vector<std::string>& texts, int64_t least_chars, int64_t earlier = 0,
                    int threads = 1) {
  RowStore rows({});
  rows.begin_file("a.txt");
  int64_t line = 0;
  for (const std::string& text : texts)
    rows.add({"{\"text\":\"" + text + "\",\"n\":1e0}", ++line, -1, nullptr}, 0, 0, 0);
  ParserPool parsers("text", "id", {});
  RunOptions options;
  options.threads = threads;
  cupel::Run run(options);
  cut_repeats({}, least_chars, earlier, int64_t{1} << 20, parsers, rows, run);
  SubstringResult result;
  for (int64_t i = 0; i < rows.size(); ++i) {
    const RowRecord record = rows.record(i);
    result.records.push_back(record);
    result.json.push_back(rows.json(record));
    result.rules.push_back(rows.rule(record.rule).rule);
    result.edits.push_back(rows.edits(record));
  }
  return result;
}

TEST(CutRepeats, EditTheLaterRowAndLeaveTheFirst) {
  const std::string notice(kNotice);
  const SubstringResult result =
      cut({notice + "The heart.", "The liver. " + notice, "The lung."}, 0);
  EXPECT_EQ(result.json[0], "{\"text\":\"" + notice + "The heart.\",\"n\":1e0}");
  EXPECT_EQ(result.json[1], "{\"text\":\"The liver. \",\"n\":1e0,\"edited\":true}");
  EXPECT_EQ(result.edits[1], (std::vector<Edit>{{"substring", "repeat", 1}}));
  EXPECT_TRUE(result.edits[0].empty());
  EXPECT_THAT(result.rules, testing::Each(""));
}

TEST(CutRepeats, DropARowOfWhichTooLittleIsLeftAndNameTheOneThatHoldsIt) {
  const std::string notice(kNotice);
  const SubstringResult result =
      cut({"The lung.", notice + "The heart.", "The liver. " + notice}, 12);
  EXPECT_THAT(result.rules, testing::ElementsAre("", "", "too_short"));
  EXPECT_EQ(result.records[2].kept, 1);
  EXPECT_EQ(result.records[2].value, 11);
  EXPECT_EQ(result.records[2].threshold, 12);
  EXPECT_TRUE(result.edits[2].empty()) << "a row that goes is not edited";
}

TEST(CutRepeats, LeaveNoRowOfNothingButWhiteSpace) {
  const std::string notice(kNotice);
  const SubstringResult result = cut({notice, "  " + notice}, 0);
  EXPECT_THAT(result.rules, testing::ElementsAre("", "too_short"));
  EXPECT_EQ(result.records[1].value, 0);
}

TEST(CutRepeats, OfARowAloneNameNoOther) {
  const std::string notice(kNotice);
  const SubstringResult result = cut({notice + "\\n" + notice}, 400);
  EXPECT_THAT(result.rules, testing::ElementsAre("too_short"));
  EXPECT_EQ(result.records[0].kept, -1);
}

TEST(CutRepeats, TheRowsOfAnEarlierCorpusStayWhole) {
  const std::string notice(kNotice);
  const SubstringResult result = cut({notice, notice + "Old.", "New. " + notice}, 0, 2);
  EXPECT_TRUE(result.edits[1].empty());
  EXPECT_EQ(result.json[2], "{\"text\":\"New. \",\"n\":1e0,\"edited\":true}");
}

TEST(CutRepeats, AreTheSameForAnyNumberOfThreads) {
  const std::string notice(kNotice);
  std::vector<std::string> texts;
  for (int i = 0; i < 500; ++i)
    texts.push_back("Report " + std::to_string(i) + ". " + (i % 3 == 0 ? notice : "") + "End.");
  const SubstringResult one = cut(texts, 11), three = cut(texts, 11, 0, 3);
  EXPECT_EQ(one.json, three.json);
  EXPECT_EQ(one.rules, three.rules);
  EXPECT_EQ(one.rules[9], "too_short") << "\"Report 9. \"";
  EXPECT_EQ(one.edits[12].size(), 1u);
}

}  // namespace
}  // namespace cupel::curate
