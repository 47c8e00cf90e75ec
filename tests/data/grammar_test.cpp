#include "data/grammar.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "support/errors.h"

namespace cupel {
namespace {

std::string text_of(uint64_t seed, int64_t bytes, const GrammarOptions& options = {}) {
  Rng words(seed, "words"), text(seed, "text");
  return Grammar(words, options).document(text, bytes);
}

std::map<std::string, int> counts_of(const std::string& text) {
  std::istringstream in(text);
  std::map<std::string, int> counts;
  for (std::string word; in >> word;) ++counts[word];
  return counts;
}

TEST(Grammar, GivesTheSameTextForTheSameSeedAndAnotherForAnother) {
  EXPECT_EQ(text_of(1, 5000), text_of(1, 5000));
  EXPECT_NE(text_of(1, 5000), text_of(2, 5000));
}

TEST(Grammar, EndsBehindTheSentenceThatMakesTheTextLongEnough) {
  const std::string text = text_of(3, 5000);
  EXPECT_GE(text.size(), 5000u);
  EXPECT_EQ(text.back(), '\n');
  EXPECT_LT(text.rfind('\n', text.size() - 2), 5000u);
}

TEST(Grammar, VerbsAgreeWithTheSubjectBeforeThem) {
  std::istringstream lines(text_of(4, 200000));
  int seen = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string determiner, subject, verb;
    words >> determiner >> subject >> verb;
    // No word of the dictionary ends so: it is a verb, and the noun stands right before it.
    if (!verb.ends_with("et") && !verb.ends_with("em")) continue;
    const bool plural = determiner == "these" || determiner == "some";
    EXPECT_EQ(verb.ends_with("em"), plural) << line;
    EXPECT_TRUE(!plural || subject.ends_with("ni")) << line;
    ++seen;
  }
  EXPECT_GT(seen, 300);
}

TEST(Grammar, AFewWordsMakeMostOfTheText) {
  std::vector<int> sorted;
  int total = 0;
  for (const auto& [word, count] : counts_of(text_of(5, 500000))) {
    sorted.push_back(count);
    total += count;
  }
  std::sort(sorted.rbegin(), sorted.rend());
  EXPECT_GT(sorted.size(), 3000u);
  int top = 0;
  for (std::size_t i = 0; i < 100; ++i) top += sorted[i];
  EXPECT_GT(top, total / 3);
  EXPECT_LT(top, total * 9 / 10);
}

TEST(Grammar, ADocumentReturnsToItsNouns) {
  // Two halves of one document share more rare words than two documents do.
  const auto shared = [](const std::string& a, const std::string& b) {
    const auto left = counts_of(a), right = counts_of(b);
    int count = 0;
    for (const auto& [word, n] : left) count += right.contains(word) ? 1 : 0;
    return count;
  };
  Rng words(6, "words"), rng(6, "text");
  const Grammar grammar(words, {});
  int within = 0, across = 0;
  for (int i = 0; i < 20; ++i) {
    const std::string one = grammar.document(rng, 4000), two = grammar.document(rng, 4000);
    within += shared(one.substr(0, 2000), one.substr(2000));
    across += shared(one.substr(0, 2000), two.substr(2000));
  }
  EXPECT_GT(within, across * 5 / 4);
}

TEST(Grammar, RefusesALanguageTooSmallForItsTopics) {
  EXPECT_THAT([] { text_of(1, 10, {.words = 99}); },
              throws_error(ErrorKind::config, "words is 99"));
  EXPECT_THAT([] { text_of(1, 10, {.words = 1000, .topics = 11}); },
              throws_error(ErrorKind::config, "topics is 11"));
}

}  // namespace
}  // namespace cupel
