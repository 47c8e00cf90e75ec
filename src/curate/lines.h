// Lines and paragraphs of a text: how they begin and end, how short they are, which repeat.
#pragma once

#include <cstdint>
#include <string_view>

namespace cupel::curate {

/// Of lines that hold more than white space, without the white space at their ends; characters are
/// code points. A paragraph is what stands between empty lines.
struct LineCounts {
  int64_t lines = 0, characters = 0;
  int64_t short_lines = 0;     // under 30 characters
  int64_t ended_lines = 0;     // by a mark that ends a sentence, or a quotation mark
  int64_t bullet_lines = 0;    // beginning with one
  int64_t ellipsis_lines = 0;  // ending with one
  int64_t duplicate_lines = 0, duplicate_line_characters = 0;  // equal to a line before
  int64_t paragraphs = 0;
  int64_t duplicate_paragraphs = 0, duplicate_paragraph_characters = 0;
};

LineCounts count_lines(std::string_view text);

/// Sentences that are left by the rules of C4 (Raffel et al. 2020, section 2.2): a line is taken if
/// it has five words and ends with a mark that ends a sentence or a quotation mark, and does not
/// speak of Javascript. Without spaces, ten characters are five words.
/// Counted up to `enough`: the rest of a long text need not be read.
int64_t count_c4_sentences(std::string_view text, int64_t enough);

/// Whether `words`, of lower-case ASCII, stand in the text in whatever case. They are looked for by
/// their letter `rare`: memchr is several times quicker than a comparison at each place.
bool contains_ignoring_case(std::string_view text, std::string_view words, char rare);

}  // namespace cupel::curate
