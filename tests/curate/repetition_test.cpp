#include "curate/repetition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace cupel::curate {
namespace {

using Words = std::vector<std::string>;

std::string joined(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += word + ' ';
  return text;
}

std::size_t letters_of(const Words& words, std::size_t begin, std::size_t end) {
  std::size_t sum = 0;
  for (std::size_t i = begin; i < end; ++i) sum += words[i].size();
  return sum;
}

/// The definition, with a map.
double plain_top(const Words& words, std::size_t n) {
  std::map<Words, std::size_t> times;
  std::size_t most = 0;
  for (std::size_t i = 0; i + n <= words.size(); ++i) {
    const auto first = words.begin() + static_cast<std::ptrdiff_t>(i);
    const std::size_t count = ++times[Words(first, first + static_cast<std::ptrdiff_t>(n))];
    if (count >= 2) most = std::max(most, count * letters_of(words, i, i + n));
  }
  const auto all = static_cast<double>(letters_of(words, 0, words.size()));
  return std::min(1.0, static_cast<double>(most) / all);
}

double plain_duplicate(const Words& words, std::size_t n) {
  std::map<Words, std::size_t> times;
  std::vector<bool> covered(words.size());
  for (std::size_t i = 0; i + n <= words.size(); ++i) {
    const auto first = words.begin() + static_cast<std::ptrdiff_t>(i);
    if (times[Words(first, first + static_cast<std::ptrdiff_t>(n))]++ == 0) continue;
    std::fill_n(covered.begin() + static_cast<std::ptrdiff_t>(i), n, true);
  }
  std::size_t sum = 0;
  for (std::size_t i = 0; i < words.size(); ++i) sum += covered[i] ? words[i].size() : 0;
  return static_cast<double>(sum) / static_cast<double>(letters_of(words, 0, words.size()));
}

TEST(Repetition, AgreesWithItsDefinition) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 100; ++trial) {
    Words words;
    const std::size_t vocabulary = 1 + random() % 5;
    const std::size_t size = 1 + random() % 80;
    while (words.size() < size) words.emplace_back(1 + random() % vocabulary, 'x');
    const Repetition found = measure_repetition(count_text(joined(words)));
    for (std::size_t n = 2; n <= 4; ++n)
      EXPECT_DOUBLE_EQ(found.top_grams[n - 2], plain_top(words, n)) << joined(words) << n;
    for (std::size_t n = 5; n <= 10; ++n)
      EXPECT_DOUBLE_EQ(found.duplicate_grams[n - 5], plain_duplicate(words, n)) << joined(words);
  }
}

TEST(Repetition, OfATextWithoutAnyIsZero) {
  const Repetition r = measure_repetition(count_text("each of these words stands here only once"));
  EXPECT_EQ(r.top_grams[0], 0);
  EXPECT_EQ(r.duplicate_grams[0], 0);
  EXPECT_EQ(measure_repetition(count_text("")).top_grams[0], 0);
}

TEST(Repetition, OfChineseTakesTwoCharactersForAWord) {
  const std::string sentence = "机器学习正在改变医学诊断";  // 12 characters: 6 words
  const Repetition twice = measure_repetition(count_text(sentence + "。" + sentence));
  EXPECT_DOUBLE_EQ(twice.duplicate_grams[0], 0.5);
  EXPECT_DOUBLE_EQ(twice.duplicate_grams[1], 0.5);
  EXPECT_DOUBLE_EQ(twice.duplicate_grams[2], 0);  // 7-grams are longer than the sentence
}

}  // namespace
}  // namespace cupel::curate
