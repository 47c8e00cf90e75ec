#include "curate/lines.h"

#include <algorithm>
#include <array>

#include "base/rng.h"
#include "base/text.h"
#include "curate/hash_counts.h"
#include "curate/sentences.h"
#include "data/unicode.h"

namespace cupel::curate {
namespace {

constexpr int64_t kShortLine = 30;  // FineWeb (Penedo et al. 2024)
constexpr int64_t kC4Words = 5;

bool is_ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && is_ascii_space(line.front())) line.remove_prefix(1);
  while (!line.empty() && is_ascii_space(line.back())) line.remove_suffix(1);
  return line;
}

/// Calls visit(line) for every line, trimmed; empty ones too.
template <class Visit>
void for_each_line(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    visit(trimmed(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

char32_t last_character(std::string_view line) {
  std::size_t at = line.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(line[at]) & 0xC0) == 0x80) --at;
  return next_character(line, at);
}

bool begins_with_bullet(std::string_view line) {
  std::size_t at = 0;
  const char32_t first = next_character(line, at);
  if (first == U'-' || first == U'*') return at < line.size() && line[at] == ' ';
  return first == U'•' || first == U'‣' || first == U'◦' || first == U'●' || first == U'▪' ||
         first == U'■' || first == U'·';
}

bool ends_with_ellipsis(std::string_view line) {
  return line.ends_with("...") || line.ends_with("…");
}

/// Words up to kC4Words, two characters of a script without spaces for one.
bool has_c4_words(std::string_view line) {
  int64_t halves = 0;
  std::size_t at = 0;
  for (std::string_view word; !(word = next_word(line, at)).empty();) {
    std::size_t first = 0;
    halves += is_word_alone(next_character(word, first)) ? 1 : 2;
    if (halves >= 2 * kC4Words) return true;
  }
  return false;
}

class LineCounter {
 public:
  explicit LineCounter(std::string_view text) {
    std::size_t lines = 1;
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string_view::npos; ++at) ++lines;
    seen_lines_.reset(lines);
    seen_paragraphs_.reset(lines);
  }

  void add(std::string_view line) {
    if (line.empty()) return end_paragraph();
    const auto characters = static_cast<int64_t>(count_characters(line));
    const char32_t last = last_character(line);
    ++counts_.lines;
    counts_.characters += characters;
    counts_.short_lines += characters < kShortLine;
    counts_.ended_lines += ends_sentence(last) || closes_quotation(last);
    counts_.bullet_lines += begins_with_bullet(line);
    counts_.ellipsis_lines += ends_with_ellipsis(line);
    const uint64_t hash = hash64(line);
    if (seen_lines_.add(hash)) {
      ++counts_.duplicate_lines;
      counts_.duplicate_line_characters += characters;
    }
    paragraph_ = combine_hashes(paragraph_, hash);
    paragraph_characters_ += characters;
  }

  LineCounts finish() {
    end_paragraph();
    return counts_;
  }

 private:
  void end_paragraph() {
    if (paragraph_characters_ == 0) return;
    ++counts_.paragraphs;
    if (seen_paragraphs_.add(paragraph_)) {
      ++counts_.duplicate_paragraphs;
      counts_.duplicate_paragraph_characters += paragraph_characters_;
    }
    paragraph_ = 0;
    paragraph_characters_ = 0;
  }

  LineCounts counts_;
  HashCounts seen_lines_, seen_paragraphs_;
  uint64_t paragraph_ = 0;  // hashes of its lines, combined
  int64_t paragraph_characters_ = 0;
};

}  // namespace

bool contains_ignoring_case(std::string_view text, std::string_view words, char rare) {
  const std::size_t before = words.find(rare);
  const auto same = [](char a, char b) { return (is_letter(a) ? a | 0x20 : a) == b; };
  const auto stands = [&](char wanted) {
    for (std::size_t at = before; (at = text.find(wanted, at)) != std::string_view::npos; ++at) {
      const std::string_view here = text.substr(at - before, words.size());
      if (std::equal(here.begin(), here.end(), words.begin(), words.end(), same)) return true;
    }
    return false;
  };
  return stands(rare) || stands(static_cast<char>(rare & ~0x20));
}

LineCounts count_lines(std::string_view text) {
  LineCounter counter(text);
  for_each_line(text, [&](std::string_view line) { counter.add(line); });
  return counter.finish();
}

int64_t count_c4_sentences(std::string_view text, int64_t enough) {
  int64_t sentences = 0;
  for_each_line(text, [&](std::string_view line) {
    if (sentences >= enough || line.empty() || ends_with_ellipsis(line)) return;
    const char32_t last = last_character(line);
    if (!ends_sentence(last) && !closes_quotation(last)) return;
    if (has_c4_words(line) && !contains_ignoring_case(line, "javascript", 'j'))
      sentences +=
          std::ssize(sentence_edges(line, static_cast<std::size_t>(enough - sentences))) - 1;
  });
  return sentences;
}

}  // namespace cupel::curate
