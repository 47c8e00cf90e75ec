#include "curate/exact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cupel::curate {
namespace {

using Pairs = std::vector<std::pair<int64_t, int64_t>>;

Pairs found(ExactDuplicates& duplicates) {
  Pairs pairs;
  for (const Duplicate& duplicate : duplicates.find())
    pairs.emplace_back(duplicate.document, duplicate.kept);
  return pairs;
}

TEST(ExactDuplicates, TheFirstOfEqualTextsStays) {
  ExactDuplicates duplicates;
  int64_t document = 0;
  for (const char* text : {"a", "b", "a", "c", "b", "a"})
    duplicates.add(document++, hash128(text), false);
  EXPECT_EQ(found(duplicates), (Pairs{{2, 0}, {4, 1}, {5, 0}}));
}

TEST(ExactDuplicates, RowsOfAnEarlierCorpusStayThoughTheyAreEqual) {
  ExactDuplicates duplicates;
  duplicates.add(0, hash128("a"), true);
  duplicates.add(1, hash128("a"), true);
  duplicates.add(2, hash128("a"), false);
  EXPECT_EQ(found(duplicates), (Pairs{{2, 0}}));
}

TEST(ExactDuplicates, BothHalvesOfTheHashCount) {
  ExactDuplicates duplicates;
  duplicates.add(0, {1, 2}, false);
  duplicates.add(1, {1, 3}, false);
  duplicates.add(2, {2, 2}, false);
  EXPECT_EQ(found(duplicates), Pairs{});
  EXPECT_NE(hash128("a").high, hash128("a").low);
}

}  // namespace
}  // namespace cupel::curate
