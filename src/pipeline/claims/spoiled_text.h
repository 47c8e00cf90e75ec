// Texts made worse in known ways, for corpora whose truth is known: copies, edited copies, debris.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "base/rng.h"

namespace cupel::pipeline::claims {

enum class Copy { identical, letter_case, white_space };
constexpr std::array<std::string_view, 3> names(Copy) {
  return {"identical", "letter_case", "white_space"};
}
/// The same text: as it is, in capitals or small letters, or with other white space.
std::string copy_of(std::string_view text, Copy how, Rng& rng);

/// Each word is edited with probability `rate`, at least one in all: left out, two neighbouring
/// letters swapped, written in capitals, or replaced by a word of `other`, a quarter each. `text`
/// has at least one word, and so has `other`.
std::string edited(std::string_view text, double rate, std::string_view other, Rng& rng);

enum class Damage {
  empty,
  too_short,      // its first words, one to three
  html_left,      // every sentence a paragraph of a page, with navigation and footer
  mojibake,       // one character in ten from a wrong character set
  control_chars,  // one character in twenty a control character
  repetition,     // its first words, three to eight, twenty to forty times
  symbols,        // digits and signs alone
  no_label        // the text as it is; the label is for the caller to leave out
};
constexpr std::array<std::string_view, 8> names(Damage) {
  return {"empty",         "too_short",  "html_left", "mojibake",
          "control_chars", "repetition", "symbols",   "no_label"};
}
/// Characters are bytes here: for texts in ASCII.
std::string damaged(std::string_view text, Damage how, Rng& rng);

}  // namespace cupel::pipeline::claims
