#include "curate/language.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <unordered_map>

#include "curate/language_tables.h"
#include "data/unicode.h"

namespace cupel::curate {
namespace {

constexpr std::size_t kMostBytes = 65536;
constexpr std::size_t kLatin = std::size(kLatinLanguages);
constexpr double kSequenceWeight = 0.2;  // against a whole word's 1
constexpr double kLeastEvidence = 0.05;  // a word
constexpr double kLeastKana = 0.05;      // of kana and Han together: Japanese, not Chinese

/// Bit i: language i of the table.
using Languages = uint32_t;
static_assert(kLatin <= 32);

using Sequence = uint64_t;  // three characters of 21 bits
Sequence shifted(Sequence sequence, char32_t next) {
  constexpr Sequence kMask = (UINT64_C(1) << 63) - 1;
  return (sequence << 21 | next) & kMask;
}

struct Evidence {
  std::unordered_map<std::string_view, Languages> words;
  std::unordered_map<Sequence, Languages> sequences;
};

template <class View, class Visit>
void for_each_part(View text, const Visit& visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    visit(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

const Evidence& evidence() {
  static const Evidence made = [] {
    Evidence e;
    for (std::size_t i = 0; i < kLatin; ++i) {
      const Languages bit = Languages{1} << i;
      for_each_part(kLatinLanguages[i].words, [&](std::string_view word) { e.words[word] |= bit; });
      for_each_part(kLatinLanguages[i].sequences, [&](std::u32string_view letters) {
        Sequence sequence = 0;
        for (const char32_t c : letters) sequence = shifted(sequence, c);
        e.sequences[sequence] |= bit;
      });
    }
    return e;
  }();
  return made;
}

/// Evidence for each language in Latin letters.
struct Scores {
  std::array<double, kLatin> of{};

  /// What several languages share says less for each.
  void add(Languages languages, double weight) {
    int n = 0;
    for (Languages rest = languages; rest != 0; rest &= rest - 1) ++n;
    for (std::size_t i = 0; i < kLatin; ++i) {
      if (languages >> i & 1) of[i] += weight / n;
    }
  }
};

Language latin_language(std::string_view text) {
  const Evidence& known = evidence();
  Scores scores;
  double words = 0;
  std::size_t at = 0;
  for (std::string_view written; !(written = next_word(text, at)).empty();) {
    const std::string word = normal_form(written);
    ++words;
    if (const auto found = known.words.find(word); found != known.words.end())
      scores.add(found->second, 1);
    Sequence sequence = U'_';
    const auto take = [&](char32_t c) {
      sequence = shifted(sequence, c);
      const auto found = known.sequences.find(sequence);
      if (found != known.sequences.end()) scores.add(found->second, kSequenceWeight);
    };
    for (std::size_t i = 0; i < word.size();) take(next_character(word, i));
    take(U'_');
  }
  double sum = 0;
  for (const double score : scores.of) sum += score;
  const auto best = std::max_element(scores.of.begin(), scores.of.end());
  if (*best < kLeastEvidence * words || *best == 0) return {};
  return {kLatinLanguages[best - scores.of.begin()].code, *best / sum};
}

constexpr std::size_t kRanges = std::size(kScriptRanges);
constexpr std::size_t kTellingRows = std::size(kTellingLetters);

/// Letters by the rows of the tables.
struct LetterCounts {
  std::array<int64_t, kRanges> of_range{};  // weighted
  std::array<int64_t, kTellingRows> telling{};
  int64_t all = 0;  // weighted; letters of no range too

  explicit LetterCounts(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) add(next_character(text, at));
  }

  int64_t of_script(std::string_view script) const {
    int64_t sum = 0;
    for (std::size_t i = 0; i < kRanges; ++i) {
      if (kScriptRanges[i].script == script) sum += of_range[i];
    }
    return sum;
  }

 private:
  void add(char32_t c) {
    if (class_of(c) != CharacterClass::letter) return;
    std::size_t i = 0;
    while (i < kRanges && c > kScriptRanges[i].last) ++i;
    const bool inside = i < kRanges && c >= kScriptRanges[i].first;
    const int weight = inside ? kScriptRanges[i].weight : 1;
    all += weight;
    if (inside) of_range[i] += weight;
    if (c < 0x400 || c > 0x6FF) return;
    for (std::size_t row = 0; row < kTellingRows; ++row)
      telling[row] += kTellingLetters[row].letters.find(c) != std::u32string_view::npos;
  }
};

std::string_view language_by_letters(const LetterCounts& letters, std::string_view script,
                                     std::string_view otherwise) {
  const auto of_script = static_cast<double>(letters.of_script(script));
  for (std::size_t i = 0; i < kTellingRows; ++i) {
    const TellingLetters& row = kTellingLetters[i];
    if (row.script == script && static_cast<double>(letters.telling[i]) >= row.share * of_script)
      return row.language;
  }
  return otherwise;
}

double share_of(int64_t part, int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Language identify_language(std::string_view text) {
  text = text.substr(0, kMostBytes);
  const LetterCounts letters(text);
  std::string_view script;
  int64_t most = 0;
  const int64_t han = letters.of_script("Hani"), kana = letters.of_script("Kana");
  for (const ScriptRange& range : kScriptRanges) {
    const bool east = range.script == "Hani" || range.script == "Kana";
    const int64_t n = east ? han + kana : letters.of_script(range.script);
    if (n > most) script = east ? "Hani" : range.script, most = n;
  }
  if (most == 0) return {};
  const double share = share_of(most, letters.all);
  if (script == "Hani") return {share_of(kana, han + kana) >= kLeastKana ? "ja" : "zh", share};
  if (script == "Cyrl") return {language_by_letters(letters, script, "ru"), share};
  if (script == "Arab") return {language_by_letters(letters, script, "ar"), share};
  if (script != "Latn") return {script, share};
  const Language latin = latin_language(text);
  return {latin.code, share * latin.share};
}

bool is_known_language(std::string_view code) {
  constexpr std::string_view kOthers[] = {"zh", "ja", "ru", "ar"};
  const auto is_code = [&](const auto& row) { return row.code == code; };
  const auto is_language = [&](const auto& row) { return row.language == code; };
  const auto is_script = [&](const auto& row) { return row.script == code; };
  const bool has_own_script = code.size() == 2 && std::any_of(std::begin(kScriptRanges),
                                                              std::end(kScriptRanges), is_script);
  return has_own_script ||
         std::find(std::begin(kOthers), std::end(kOthers), code) != std::end(kOthers) ||
         std::any_of(std::begin(kLatinLanguages), std::end(kLatinLanguages), is_code) ||
         std::any_of(std::begin(kTellingLetters), std::end(kTellingLetters), is_language);
}

}  // namespace cupel::curate
