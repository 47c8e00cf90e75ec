#include "curate/shingles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "data/unicode.h"

namespace cupel::curate {
namespace {

using Set = std::vector<uint64_t>;

Set of_characters(std::string_view text, int ngram = 5) {
  return shingles(text, ngram, NgramUnit::char_);
}
Set of_words(std::string_view text, int ngram = 3) {
  return shingles(text, ngram, NgramUnit::word);
}

/// The n-grams themselves, cut out character by character.
std::set<std::u32string> spelled_out(std::string_view text, std::size_t ngram) {
  std::u32string characters;
  for (std::size_t at = 0; at < text.size();) characters += next_character(text, at);
  if (characters.size() <= ngram) return {characters};
  std::set<std::u32string> grams;
  for (std::size_t i = 0; i + ngram <= characters.size(); ++i)
    grams.insert(characters.substr(i, ngram));
  return grams;
}

TEST(Shingles, AreAsManyAsThereAreDifferentNgrams) {
  Rng rng(1, "text");
  for (const char* alphabet : {"ab", "abcdefghij ", "aé漢😀 b"}) {
    std::vector<std::string> letters;
    const std::string_view text(alphabet);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t begin = at;
      next_character(text, at);
      letters.emplace_back(text.substr(begin, at - begin));
    }
    for (const int size : {0, 1, 4, 5, 6, 40, 900, 20000}) {
      std::string made;
      for (int i = 0; i < size; ++i) made += letters[rng.below(letters.size())];
      for (const int ngram : {1, 5, 9}) {
        const Set set = of_characters(made, ngram);
        EXPECT_EQ(set.size(), spelled_out(made, static_cast<std::size_t>(ngram)).size());
        EXPECT_TRUE(std::is_sorted(set.begin(), set.end()));
        EXPECT_EQ(std::adjacent_find(set.begin(), set.end()), set.end());
      }
    }
  }
}

TEST(Shingles, AreTheSameWhereverAnNgramStands) {
  const Set inside = of_characters("xx漢字kanji"), alone = of_characters("字kanj");
  ASSERT_EQ(alone.size(), 1u);
  EXPECT_TRUE(std::binary_search(inside.begin(), inside.end(), alone[0]));
}

TEST(Shingles, TakeAShortTextAsOne) {
  EXPECT_EQ(of_characters("abc").size(), 1u);
  EXPECT_EQ(of_characters("").size(), 1u);
  EXPECT_NE(of_characters("abc"), of_characters("abd"));
  EXPECT_EQ(of_words("two words").size(), 1u);
}

TEST(Shingles, OfWordsPassOverPunctuation) {
  EXPECT_EQ(of_words("the quick, brown fox!"), of_words("the quick brown fox"));
  EXPECT_NE(of_words("the quick brown fox"), of_words("the brown quick fox"));
  EXPECT_EQ(of_words("a b c d e").size(), 3u);
}

TEST(Shingles, OfATextWithoutWordsAreThoseOfItsCharacters) {
  EXPECT_NE(of_words("!!!"), of_words("???"));
  EXPECT_EQ(of_words("!?!", 2), of_characters("!?!", 2));
}

TEST(Shingles, KeepTheirHashesFromReleaseToRelease) {
  EXPECT_EQ(of_characters("abcde"), Set{18055059098906378494u});
  EXPECT_EQ(of_words("a b c"), Set{17514290825905228938u});
}

TEST(Jaccard, IsTheShareOfTheUnionThatIsCommon) {
  EXPECT_EQ(jaccard(Set{1, 2, 3}, Set{2, 3, 4}), 0.5);
  EXPECT_EQ(jaccard(Set{1}, Set{2}), 0);
  EXPECT_EQ(jaccard(Set{1}, Set{}), 0);
  EXPECT_EQ(jaccard(Set{}, Set{}), 1);
  EXPECT_EQ(jaccard(Set{7, 9}, Set{7, 9}), 1);
}

Set random_set(Rng& rng, uint64_t range, std::size_t size) {
  std::set<uint64_t> set;
  while (set.size() < size) set.insert(rng.below(range));
  return {set.begin(), set.end()};
}

TEST(Jaccard, MeetsTheDefinitionOnRandomSets) {
  Rng rng(2, "sets");
  for (int round = 0; round < 300; ++round) {
    const Set a = random_set(rng, 300, rng.below(250)), b = random_set(rng, 300, rng.below(250));
    Set common, all;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all));
    if (all.empty()) continue;
    const double expected = static_cast<double>(common.size()) / static_cast<double>(all.size());
    EXPECT_EQ(jaccard(a, b), expected);
    for (const double least : {0.01, 0.3, 0.5, 0.7, 1.0, std::max(expected, 0.001)})
      EXPECT_EQ(jaccard_if_at_least(a, b, least), expected >= least ? expected : 0) << least;
  }
}

TEST(Jaccard, TakesAThresholdThatIsMetToTheElement) {
  const Set ten = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, seven = {0, 1, 2, 3, 4, 5, 6},
            six = {0, 1, 2, 3, 4, 5};
  EXPECT_EQ(jaccard_if_at_least(ten, seven, 0.7), 0.7);
  EXPECT_EQ(jaccard_if_at_least(ten, six, 0.7), 0);
  EXPECT_EQ(jaccard_if_at_least(ten, ten, 1), 1);
}

}  // namespace
}  // namespace cupel::curate
