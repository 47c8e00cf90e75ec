#include "train/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/token_streams.h"
#include "support/tokenizer_json.h"

namespace cupel::train {
namespace {

TEST(Validation, HoldsEverySequenceOfEverySourceOnceAndTheShortTextToo) {
  Config config;
  config.sequence_len = 4;
  config.micro_batch_size = 2;
  const Tokenizer tokenizer = Tokenizer::parse(json::dump(tokenizer_json()), "t");
  const Validation validation =
      make_validation(config,
                      {{token_stream({{{0, 1, 2, 3, 4, 5, 6, 7, 8}}}), Cut::windows, 1},
                       {token_stream({{{10, 11, 12}}}), Cut::windows, 1},
                       {token_stream({{{20, 21}}, {{22, 256, 23}}}), Cut::single, 1},
                       {token_stream({{{30}}}), Cut::windows, 1}},
                      tokenizer);
  ASSERT_EQ(validation.batches(), 3u);
  std::vector<int64_t> labels;
  for (std::size_t i = 0; i < validation.batches(); ++i) {
    const SequenceBatch batch = validation.batch(i);
    EXPECT_EQ(batch.rows, i < 2 ? 2 : 1);
    for (const int64_t label : batch.labels) {
      if (label >= 0) labels.push_back(label);
    }
  }
  EXPECT_THAT(labels, testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 21, 256, 23));
  EXPECT_DOUBLE_EQ(validation.bytes_per_label, 14.0 / 13);  // token 256 is "ab"
}

}  // namespace
}  // namespace cupel::train
