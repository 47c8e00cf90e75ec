// A seeded corpus from a generated grammar: text of any length whose structure a small language
// model can learn, and that nobody has to ship.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"

namespace cupel {

/// The size of the language, not of the text.
struct GrammarOptions {
  int64_t words = 12000;  // of the open classes, made of syllables
  int64_t topics = 24;    // each prefers its own words
};

/// A probabilistic context-free grammar with agreement, over words that the random seed makes up.
/// Nouns are four tenths of the words, verbs three, adjectives two, adverbs one; within a class the
/// frequencies follow Zipf's law. A document has a topic, which is where half of its words come
/// from, and returns to the few nouns it has spoken of, so it is predicted the better the more of
/// it has been read. A verb ends as the number of its subject demands, over relative clauses that
/// stand between the two; a sentence may hold others, joined or spoken.
class Grammar {
 public:
  /// Throws Error{config} for fewer than 100 words, or less than one topic.
  Grammar(Rng& rng, const GrammarOptions& options);

  /// Sentences, one a line, of at least `bytes` bytes together.
  std::string document(Rng& rng, int64_t bytes) const;

 private:
  enum Class { noun, verb, adjective, adverb };
  static constexpr std::size_t kClasses = 4;
  struct Speech;
  std::string make_word(Rng& rng) const;

  std::array<std::vector<std::string>, kClasses> words_;  // most frequent first
  std::vector<std::string> syllables_;
  int64_t topics_;
};

}  // namespace cupel
