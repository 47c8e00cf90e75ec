#include "data/labelled.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/files.h"

namespace cupel {
namespace {

using testing::ElementsAre;

TEST(Labelled, TakesWordsAndWholeNumbersAsLabelsAndNamesWhatItRejects) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const auto path = folder.write("rows.jsonl", R"({"body": "a", "kind": "good"}
{"body": "b", "kind": 7}
{"body": "c", "kind": 7.5}
{"body": "d"}
{"kind": "good"}
{"body": "e", "kind": ""}
{"body": "", "kind": "bad"}
)");
  std::vector<Reject> rejects;
  const auto rows = read_labelled(path, {{}, "body", "kind"}, &rejects);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].label, "good");
  EXPECT_EQ(rows[1].label, "7");
  EXPECT_EQ(rows[2].text, "");
  EXPECT_EQ(rows[2].line, 7);
  ASSERT_EQ(rejects.size(), 4u);
  for (const Reject& reject : rejects) EXPECT_EQ(reject.rule, "missing_field");
  EXPECT_EQ(rejects[0].line, 3);
}

TEST(Labelled, ReadsColumnsOfAMemberOfAnObjectOfSplits) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const auto path = folder.write("all.json", R"({"train": [["a", "x"]], "test": [["b", "y"]]})");
  const auto rows = read_labelled(path, {{"test", {"text", "label"}}}, nullptr);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].text + rows[0].label, "by");
}

TEST(Labelled, SortsNumbersAsNumbersAndWordsAsWords) {
  EXPECT_THAT(sorted_labels({"10", "2", "-1", "2"}), ElementsAre("-1", "2", "10"));
  EXPECT_THAT(sorted_labels({"10", "2", "b"}), ElementsAre("10", "2", "b"));
}

}  // namespace
}  // namespace cupel
