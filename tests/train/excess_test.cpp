#include "train/excess.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/token_streams.h"

namespace cupel::train {
namespace {

struct Outcome {
  std::vector<int32_t> ids;
  std::vector<int64_t> documents;
  RowCounts counts;
  std::vector<std::string> lost;
};

/// Ten tokens, of which those from `learned` on count, into sequences of four.
Outcome append_ten(std::optional<ExcessLength> strategy, std::size_t learned) {
  MaskedTokens row;
  for (int32_t i = 0; i < 10; ++i) {
    row.ids.push_back(i);
    row.learned.push_back(static_cast<std::size_t>(i) >= learned);
  }
  Outcome out;
  TokenShardWriter stream({}, "test", 10);
  append_row(stream, row, 4, strategy, "rows.jsonl:7", out.counts,
             [&](std::string_view rule) { out.lost.emplace_back(rule); });
  const TokenShards written = stream.finish();
  out.ids = ids_of(written);
  out.documents = begins_of(written);
  return out;
}

TEST(Excess, NothingIsDoneToALongRowUnlessItWasChosen) {
  EXPECT_THAT([] { append_ten({}, 0); },
              throws_exactly(ErrorKind::data,
                             "rows.jsonl:7: the row has 10 tokens, more than sequence_len 4; set "
                             "excess_length_strategy: drop, truncate, split or raise; or raise "
                             "sequence_len"));
  EXPECT_THAT([] { append_ten(ExcessLength::raise, 0); },
              throws_error(ErrorKind::data, "choose another excess_length_strategy"));
}

TEST(Excess, DroppedRowsAreRejected) {
  const Outcome out = append_ten(ExcessLength::drop, 0);
  EXPECT_THAT(out.lost, testing::ElementsAre("longer_than_sequence_len"));
  EXPECT_TRUE(out.ids.empty());
  EXPECT_EQ(to_text(out.counts), "1 rows: 0 whole, 1 set aside");
}

TEST(Excess, TruncatedRowsKeepTheirBeginning) {
  const Outcome out = append_ten(ExcessLength::truncate, 0);
  EXPECT_THAT(out.ids, testing::ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(to_text(out.counts), "1 rows: 0 whole, 1 cut short");
}

TEST(Excess, ARowWhoseLabelsAreCutOffIsLostAndSaidToBe) {
  const Outcome out = append_ten(ExcessLength::truncate, 6);
  EXPECT_THAT(out.lost, testing::ElementsAre("nothing_to_learn"));
  EXPECT_EQ(out.counts.rejected, 1);
}

TEST(Excess, SplitRowsBecomeDocumentsThatHaveLabels) {
  const Outcome out = append_ten(ExcessLength::split, 6);
  EXPECT_THAT(out.ids, testing::ElementsAre(4, 5, 6, 7, 8, 9));
  EXPECT_THAT(out.documents, testing::ElementsAre(0, 4));
  EXPECT_EQ(out.counts.split, 1);
}

TEST(Excess, ARowWithoutALabelIsRejectedHoweverShort) {
  EXPECT_THAT(append_ten({}, 10).lost, testing::ElementsAre("nothing_to_learn"));
}

}  // namespace
}  // namespace cupel::train
