// Training texts that hold an evaluation text, and which.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "curate/evaluation_texts.h"

namespace cupel::curate {

struct DecontaminateReport {
  int64_t texts = 0, left_out = 0;
  static constexpr auto fields() {
    using C = DecontaminateReport;
    return std::tuple{Field{"texts", &C::texts, "different texts of the evaluation sets"},
                      Field{"left_out", &C::left_out, "texts too short to be looked for"}};
  }
};

/// An evaluation text that a training text holds.
struct Contamination {
  std::size_t file = 0;  // index into the settings' files
  int64_t line = 0;
  double overlap = 0;  // share of its words that were found
  std::string match;   // where they stand: part of the normal form of the training text
};

/// Looks texts up in two phases. First, an n-gram of 8 words (or `ngram`, if that is less) is found
/// among those of the evaluation texts; then both texts are read on from there to both sides, over
/// gaps of a few words, and the evaluation text counts as held if `ngram` of its words (or all)
/// follow one another, `overlap` of them were found, and, where it has an answer, `ngram` of the
/// answer's words (or all) stand within `answer_distance` words of the passage.
/// Left out: an n-gram that stands 64 times and more is a form that evaluation texts share, and not
/// looked up; words in another order; other words of the same meaning.
///
/// 32 bytes a word of the evaluation texts. A text is read in linear time but for what it shares
/// with them.
class Decontaminator {
 public:
  Decontaminator(const DecontaminateConfig& config, EvaluationTexts evaluations);

  /// The first evaluation text that `text` holds, by where it stands. May be called from many
  /// threads at once.
  std::optional<Contamination> find(std::string_view text) const;

  const DecontaminateReport& report() const { return report_; }

 private:
  /// An n-gram and where it stands.
  struct Entry {
    uint64_t hash;
    uint32_t text, at;
  };
  /// What of an evaluation text stands in words [begin, end) of another.
  struct Match {
    std::size_t begin = 0, end = 0;
    std::size_t found = 0, longest_run = 0;  // words
  };

  std::span<const Entry> look_up(uint64_t hash) const;
  static Match read_on(std::span<const uint64_t> words, std::size_t at,
                       std::span<const uint64_t> evaluation, std::size_t from);
  bool is_held(const Match& match, const EvaluationText& text,
               std::span<const uint64_t> words) const;

  DecontaminateConfig config_;
  DecontaminateReport report_;
  std::vector<EvaluationText> texts_;
  std::vector<Entry> entries_;   // by hash, text and place
  std::vector<uint32_t> slots_;  // open addressing: number of the first entry of a hash, plus 1
};

}  // namespace cupel::curate
