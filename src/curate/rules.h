// Level 1 of curation: is a text fit to be read at all? Every rule that it fails is named.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/config.h"

namespace cupel::curate {

/// Rules of the literature, with its thresholds; src/curate/rules.cpp has the table.
/// gopher: Rae et al. 2021, section A1.1 and table A1. Its stop words are asked of English text and
/// its word lengths of scripts with spaces.
/// c4: Raffel et al. 2020, section 2.2, of the whole text; left out: the list of bad words.
/// fineweb: Penedo et al. 2024, the three custom filters it adds to those.
enum class RuleSet { gopher, c4, fineweb };
constexpr std::array<std::string_view, 3> names(RuleSet) { return {"gopher", "c4", "fineweb"}; }
static_assert(names(RuleSet{}).size() == static_cast<std::size_t>(RuleSet::fineweb) + 1);

/// Ratios are shares of the characters that are not white space, unless help says otherwise.
struct FormatConfig {
  int64_t min_chars = 50;
  int64_t max_chars = 1'000'000;
  double max_replacement_ratio = 0.005;
  double max_control_ratio = 0.005;
  double max_mojibake_ratio = 0.005;
  double max_markup_ratio = 0.05;
  int64_t max_markup = 50;
  double max_symbol_ratio = 0.2;
  double max_digit_ratio = 0.3;
  double max_punctuation_ratio = 0.3;
  double max_repeated_ratio = 0.2;
  double max_duplicate_ratio = 0.3;
  bool check_json = true;
  std::vector<RuleSet> sets = {};

  static constexpr auto fields() {
    using C = FormatConfig;
    return std::tuple{
        Field{"min_chars", &C::min_chars,
              "fewest characters; those of scripts without spaces count twice", 0, 1e9},
        Field{"max_chars", &C::max_chars, "most characters", 1, 1e9},
        Field{"max_replacement_ratio", &C::max_replacement_ratio, "U+FFFD, of bytes lost before", 0,
              1},
        Field{"max_control_ratio", &C::max_control_ratio, "control and private-use characters", 0,
              1},
        Field{"max_mojibake_ratio", &C::max_mojibake_ratio,
              "characters from a wrong character set, as in Ã© and 锟斤拷", 0, 1},
        Field{"max_markup_ratio", &C::max_markup_ratio,
              "HTML tags, comments, entities and what scripts hold", 0, 1},
        Field{"max_markup", &C::max_markup, "most HTML tags, comments and entities", 0, 1e9},
        Field{"max_symbol_ratio", &C::max_symbol_ratio, "symbols", 0, 1},
        Field{"max_digit_ratio", &C::max_digit_ratio, "digits", 0, 1},
        Field{"max_punctuation_ratio", &C::max_punctuation_ratio, "punctuation marks", 0, 1},
        Field{"max_repeated_ratio", &C::max_repeated_ratio,
              "characters equal to the one before them", 0, 1},
        Field{"max_duplicate_ratio", &C::max_duplicate_ratio,
              "characters of words in 5-grams that stood before, of those of all words", 0, 1},
        Field{"check_json", &C::check_json, "a text that begins as JSON must be JSON"},
        Field{"sets", &C::sets, "further rules, with the thresholds of their papers"}};
  }
  std::vector<std::string> problems() const {
    if (min_chars > max_chars) return {"min_chars must not exceed max_chars"};
    return {};
  }
};

/// A rule that a text fails: what was measured, and the bound that it is beyond.
struct RuleFailure {
  std::string_view rule;  // stable name, lives for ever
  double value = 0, threshold = 0;
};

/// Every rule that `text` fails, in the order of the table; none: it passes. A text of nothing but
/// white space fails "empty" alone. `text` is UTF-8; a malformed byte counts as U+FFFD. Time and
/// memory are linear in the text.
std::vector<RuleFailure> check_format(std::string_view text, const FormatConfig& config);

}  // namespace cupel::curate
