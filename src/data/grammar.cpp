#include "data/grammar.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_set>

#include "base/error.h"

namespace cupel {

namespace {

constexpr int64_t kFewestWords = 100;
constexpr int kDeepest = 3;             // clauses inside clauses
constexpr std::size_t kRemembered = 6;  // nouns that a document returns to

constexpr std::array<std::string_view, 14> kOnsets{"b", "d", "f", "g", "k",  "l",  "m",
                                                   "n", "p", "r", "s", "st", "tr", "v"};
constexpr std::array<std::string_view, 8> kVowels{"a", "e", "i", "o", "u", "ai", "ea", "ou"};
constexpr std::array<std::string_view, 6> kCodas{"", "", "n", "r", "l", "s"};
constexpr std::array<std::string_view, 6> kPrepositions{"in", "on", "under", "near", "of", "with"};
constexpr std::array<std::string_view, 4> kJoints{"and", "but", "while", "because"};

bool chance(Rng& rng, double p) { return rng.uniform() < p; }

template <class List>
const auto& pick(Rng& rng, const List& list) {
  return list[rng.below(list.size())];
}

/// A rank below `count` with p proportional to about 1 / (rank + 2), by the inverse of its
/// integral.
std::size_t zipf(Rng& rng, std::size_t count) {
  const double n = static_cast<double>(count);
  const double rank = 2 * std::pow((n + 2) / 2, rng.uniform()) - 2;
  return std::min(count - 1, static_cast<std::size_t>(rank));
}

}  // namespace

/// What a document is in the middle of.
struct Grammar::Speech {
  const Grammar& grammar;
  Rng& rng;
  std::size_t topic;
  std::vector<std::string> remembered{};
  std::string text{};

  void say(std::string_view word) {
    if (!text.empty() && text.back() != '\n' && text.back() != '"') text += ' ';
    text += word;
  }

  /// Half of the draws fall on the topic's words: every topics_-th of the class.
  const std::string& word(Class of) {
    const std::vector<std::string>& all = grammar.words_[of];
    if (chance(rng, 0.5)) return all[zipf(rng, all.size())];
    const auto topics = static_cast<std::size_t>(grammar.topics_);
    const std::size_t own = (all.size() - topic + topics - 1) / topics;
    return all[topic + topics * zipf(rng, own)];
  }

  std::string remembered_noun() {
    if (!remembered.empty() && chance(rng, 0.5)) return pick(rng, remembered);
    const std::string fresh = word(noun);
    if (remembered.size() < kRemembered)
      remembered.push_back(fresh);
    else if (chance(rng, 0.1))
      remembered[rng.below(remembered.size())] = fresh;
    return fresh;
  }

  /// Says a noun phrase; whether it is plural.
  bool noun_phrase(int depth) {
    const bool plural = chance(rng, 0.35);
    say(plural ? (chance(rng, 0.5) ? "these" : "some") : (chance(rng, 0.6) ? "the" : "a"));
    if (chance(rng, 0.35)) say(word(adjective));
    say(remembered_noun() + (plural ? "ni" : ""));
    if (depth < kDeepest && chance(rng, 0.15)) {
      say("that");
      verb_phrase(plural, depth + 1);
    } else if (depth < kDeepest && chance(rng, 0.15)) {
      say(pick(rng, kPrepositions));
      noun_phrase(depth + 1);
    }
    return plural;
  }

  void verb_phrase(bool plural, int depth) {
    if (chance(rng, 0.2)) say(word(adverb));
    say(word(verb) + (plural ? "em" : "et"));
    if (chance(rng, 0.7)) noun_phrase(depth + 1);
  }

  void clause(int depth) {
    verb_phrase(noun_phrase(depth), depth);
    if (depth < kDeepest && chance(rng, 0.2)) {
      say(pick(rng, kJoints));
      clause(depth + 1);
    }
  }

  void sentence() {
    if (chance(rng, 0.1)) {
      const bool plural = noun_phrase(1);
      say(plural ? "sayem" : "sayet");
      say("\"");
      clause(1);
      text += ".\"\n";
      return;
    }
    clause(0);
    text += ".\n";
  }
};

Grammar::Grammar(Rng& rng, const GrammarOptions& options) : topics_(options.topics) {
  if (options.words < kFewestWords)
    fail(ErrorKind::config, "grammar", "words is " + std::to_string(options.words),
         "ask for at least " + std::to_string(kFewestWords));
  if (options.topics < 1 || options.topics > options.words / kFewestWords)
    fail(ErrorKind::config, "grammar", "topics is " + std::to_string(options.topics),
         "ask for 1 to words / " + std::to_string(kFewestWords));
  for (const std::string_view onset : kOnsets)
    for (const std::string_view vowel : kVowels)
      syllables_.push_back(std::string(onset) + std::string(vowel));
  rng.shuffle(syllables_);
  constexpr std::array<int64_t, kClasses> kTenths{4, 3, 2, 1};
  std::unordered_set<std::string> known;
  for (std::size_t c = 0; c < kClasses; ++c) {
    const auto count = static_cast<std::size_t>(options.words * kTenths[c] / 10);
    while (words_[c].size() < count) {
      std::string word = make_word(rng);
      if (known.insert(word).second) words_[c].push_back(std::move(word));
    }
  }
}

/// Two to four syllables, the last of which may be closed: some 4 million words.
std::string Grammar::make_word(Rng& rng) const {
  std::string word;
  const uint64_t syllables = 2 + rng.below(3);
  for (uint64_t i = 0; i < syllables; ++i) word += pick(rng, syllables_);
  return word + std::string(pick(rng, kCodas));
}

std::string Grammar::document(Rng& rng, int64_t bytes) const {
  Speech speech{*this, rng, rng.below(static_cast<uint64_t>(topics_))};
  while (static_cast<int64_t>(speech.text.size()) < bytes) speech.sentence();
  return std::move(speech.text);
}

}  // namespace cupel
