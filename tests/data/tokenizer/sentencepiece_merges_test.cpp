#include "data/tokenizer/sentencepiece_merges.h"

#include <gtest/gtest.h>

#include "support/errors.h"

namespace cupel {
namespace {

using PieceMerges = std::vector<PieceMerge>;

TEST(SentencePieceMerges, OrderByScoreThenByIds) {
  const std::vector<std::string_view> pieces{"a", "b", "c", "bc", "ab", "abc"};
  EXPECT_EQ(sentencepiece_merges(pieces, {-9, -9, -9, -1, -2, -1}, ""),
            (PieceMerges{{"b", "c"}, {"a", "bc"}, {"ab", "c"}, {"a", "b"}}));
}

TEST(SentencePieceMerges, CutOnlyBetweenCharacters) {
  const std::vector<std::string_view> pieces{"\xC3", "\xA9", "é", "éé"};
  EXPECT_EQ(sentencepiece_merges(pieces, {-9, -9, -2, -1}, ""), (PieceMerges{{"é", "é"}}));
}

TEST(SentencePieceMerges, LeaveOutEmptyPiecesAndRefuseEndlessOnes) {
  EXPECT_TRUE(sentencepiece_merges({"", "a", ""}, {0, 0, 0}, "").empty());
  const std::string_view longest = "0123456789abcdef0123456789abcdef";
  std::string piece;
  while (piece.size() <= 256) piece += longest;
  EXPECT_THAT([&] { sentencepiece_merges({piece}, {0}, "m.gguf"); },
              throws_error(ErrorKind::data, "has 288 bytes, at most 256 allowed"));
}

}  // namespace
}  // namespace cupel
