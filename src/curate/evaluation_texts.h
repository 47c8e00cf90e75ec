// Texts of evaluation sets as hashes of their words: what a training text must not hold.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/config.h"
#include "base/run.h"

namespace cupel::curate {

struct DecontaminateConfig {
  std::vector<Path> files;
  std::vector<std::string> text_fields = {"question", "prompt", "problem", "instruction"};
  std::vector<std::string> answer_fields = {"answer", "answers", "solution", "target"};
  int64_t ngram = 13;
  double overlap = 0.8;
  int64_t answer_distance = 100;
  static constexpr std::string_view kShorthand = "files";
  static constexpr auto fields() {
    using C = DecontaminateConfig;
    return std::tuple{
        Field{"files", &C::files, "evaluation sets: .jsonl .json .csv .txt, also .gz or .zst"},
        Field{"text_fields", &C::text_fields,
              "fields of an evaluation row, beside text_field, each a text of its own"},
        Field{"answer_fields", &C::answer_fields, "fields of its answer, or of several of them"},
        Field{"ngram", &C::ngram,
              "words that must follow one another in both texts; of scripts without spaces, "
              "characters",
              4, 100},
        Field{"overlap", &C::overlap, "share of an evaluation text's words that a row must hold", 0,
              1},
        Field{"answer_distance", &C::answer_distance,
              "words around them within which an answer must stand, if the evaluation row has one",
              0, 1e6}};
  }
  std::vector<std::string> problems() const;

  /// A shorter text is not looked for: fewer words stand anywhere. Brown et al. 2020, appendix C,
  /// take n-grams of 8 to 13 words.
  int64_t least_words() const { return ngram < 8 ? ngram : 8; }
};

/// Words of a text's normal form, and where they stand in it.
struct TextWords {
  struct Span {
    std::size_t begin, end;
  };
  std::string form;
  std::vector<uint64_t> hashes;
  std::vector<Span> spans;
};
TextWords words_of(std::string_view text);

struct EvaluationText {
  std::size_t file = 0;  // index into the settings' files
  int64_t line = 0;
  std::vector<uint64_t> words;                 // as hashes
  std::vector<std::vector<uint64_t>> answers;  // any of them; none: no answer is asked for
};

struct EvaluationTexts {
  std::vector<EvaluationText> texts;
  int64_t left_out = 0;  // of fewer than least_words()
};

/// Texts that are equal are one, the first; it asks for an answer if all of them do. Rows that
/// cannot be read go to the run's rejects. Throws Error{data} for a file without a text to look
/// for, Interrupted when asked to stop.
EvaluationTexts read_evaluation_texts(const DecontaminateConfig& config,
                                      const std::string& text_field, Run& run);

}  // namespace cupel::curate
