#include "curate/stars.h"

#include <gtest/gtest.h>

#include <string>

namespace cupel::curate {
namespace {

/// All documents in one bucket of one band.
std::vector<NearDrop> decide_all(const std::vector<std::string>& texts, double jaccard,
                                 uint32_t references = 0) {
  const std::function<std::string(int64_t)> text = [&](int64_t document) {
    return texts[static_cast<std::size_t>(document)];
  };
  const std::function<void()> poll = [] {};
  ThreadPool pool(2);
  Stars stars({jaccard, 1, NgramUnit::char_, references}, {1}, 1 << 20, text, pool, poll);
  std::vector<Place> places(texts.size(), Place{1 << 1});
  places.back().bits |= 1;
  std::vector<uint32_t> kept(texts.size());
  for (uint32_t i = 0; i < kept.size(); ++i) kept[i] = i;
  std::vector<NearDrop> drops;
  stars.decide(0, places, kept, drops);
  for (const NearDrop& drop : drops) EXPECT_EQ(kept[drop.document], drop.kept);
  return drops;
}

TEST(Stars, DropForTheMostSimilarOfTheKept) {
  const auto drops = decide_all({"abcdefgh", "abcdwxyz", "abcdwxyh"}, 0.5);
  ASSERT_EQ(drops.size(), 1u);
  EXPECT_EQ(drops[0].document, 2u);
  EXPECT_EQ(drops[0].kept, 1u);
  EXPECT_EQ(drops[0].similarity, 7.0 / 9);
}

TEST(Stars, DropForTheFirstOfSeveralThatAreAsSimilar) {
  const auto drops = decide_all({"abcdef", "abcxyz", "abcdexy"}, 0.5);
  ASSERT_EQ(drops.size(), 1u);
  EXPECT_EQ(drops[0].kept, 0u);
  EXPECT_EQ(drops[0].similarity, 5.0 / 8);
}

TEST(Stars, NeverDropForADroppedOne) {
  const auto drops = decide_all({"abcd", "abce", "abef", "aefg"}, 0.6);
  ASSERT_EQ(drops.size(), 2u);  // the second for the first, the last for the third
  EXPECT_EQ(drops[0].document, 1u);
  EXPECT_EQ(drops[1].document, 3u);
  EXPECT_EQ(drops[1].kept, 2u);
}

TEST(Stars, KeepReferencesWhateverTheyResemble) {
  const auto drops = decide_all({"abcd", "abcd", "abcd"}, 0.9, 2);
  ASSERT_EQ(drops.size(), 1u);
  EXPECT_EQ(drops[0].document, 2u);
  EXPECT_EQ(drops[0].kept, 0u);
}

}  // namespace
}  // namespace cupel::curate
