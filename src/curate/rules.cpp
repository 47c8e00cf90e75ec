#include "curate/rules.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/stats.h"
#include "curate/language.h"
#include "curate/lines.h"
#include "curate/markup.h"
#include "curate/mojibake.h"
#include "curate/repetition.h"
#include "curate/text_counts.h"

namespace cupel::curate {
namespace {

/// All that is measured once, before the rules are asked.
struct Facts {
  explicit Facts(std::string_view t)
      : text(t),
        counts(count_text(t)),
        lines(count_lines(t)),
        markup(count_markup(t)),
        mojibake(is_ascii() ? 0 : count_mojibake(t)),
        repetition(measure_repetition(counts)) {}

  bool is_ascii() const { return counts.characters == static_cast<int64_t>(text.size()); }

  std::string_view text;
  TextCounts counts;
  LineCounts lines;
  MarkupCounts markup;
  int64_t mojibake;
  Repetition repetition;
};

double per_word(int64_t count, const Facts& f) {
  return static_cast<double>(count) / std::max(f.counts.word_count(), 1.0);
}

bool parses(std::string_view text) {
  try {
    json::parse(text, "text");
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::data) throw;
    return false;
  }
}

/// Begins with {" or [{" or ["…", as JSON does and prose and wiki links do not.
bool begins_as_json(std::string_view text) {
  constexpr std::string_view kWhite = " \t\r\n";
  std::string opening;
  for (const char c : text) {
    if (kWhite.find(c) != std::string_view::npos) continue;
    opening += c;
    if (opening.size() == 2) break;
  }
  return opening == "{\"" || opening == "[{";
}

/// One document, or one a line.
bool is_json(std::string_view text) {
  if (parses(text)) return true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos && !parses(line)) return false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

bool has_spaces(const Facts& f) { return !f.counts.is_unspaced(); }

bool may_be_english(const Facts& f) {
  if (!has_spaces(f)) return false;
  const std::string_view code = identify_language(f.text).code;
  return code == "en" || code == kUndetermined;
}

/// What a value must be, compared with the threshold.
enum class Must { be_at_least, be_above, be_at_most, be_below };

bool holds(double value, Must must, double threshold) {
  switch (must) {
    case Must::be_at_least:
      return value >= threshold;
    case Must::be_above:
      return value > threshold;
    case Must::be_at_most:
      return value <= threshold;
    case Must::be_below:
      return value < threshold;
  }
  CUPEL_ASSERT(false);
}

using Measure = double (*)(const Facts&);

/// Rules whose thresholds are settings.
struct OwnRule {
  std::string_view name;
  Must must;
  double (*threshold)(const FormatConfig&);
  Measure measure;
};

constexpr OwnRule kOwnRules[] = {
    {"too_short", Must::be_at_least,
     [](const FormatConfig& c) { return static_cast<double>(c.min_chars); },
     [](const Facts& f) { return static_cast<double>(f.counts.width); }},
    {"too_long", Must::be_at_most,
     [](const FormatConfig& c) { return static_cast<double>(c.max_chars); },
     [](const Facts& f) { return static_cast<double>(f.counts.characters); }},
    {"replacement_characters", Must::be_at_most,
     [](const FormatConfig& c) { return c.max_replacement_ratio; },
     [](const Facts& f) { return share(f.counts.replacements, f.counts.visible()); }},
    {"control_characters", Must::be_at_most,
     [](const FormatConfig& c) { return c.max_control_ratio; },
     [](const Facts& f) { return share(f.counts.controls, f.counts.visible()); }},
    {"mojibake", Must::be_at_most, [](const FormatConfig& c) { return c.max_mojibake_ratio; },
     [](const Facts& f) { return share(f.mojibake, f.counts.visible()); }},
    {"markup_share", Must::be_at_most, [](const FormatConfig& c) { return c.max_markup_ratio; },
     [](const Facts& f) { return share(f.markup.characters, f.counts.characters); }},
    {"markup_count", Must::be_at_most,
     [](const FormatConfig& c) { return static_cast<double>(c.max_markup); },
     [](const Facts& f) { return static_cast<double>(f.markup.pieces); }},
    {"symbols", Must::be_at_most, [](const FormatConfig& c) { return c.max_symbol_ratio; },
     [](const Facts& f) { return share(f.counts.symbols, f.counts.visible()); }},
    {"digits", Must::be_at_most, [](const FormatConfig& c) { return c.max_digit_ratio; },
     [](const Facts& f) { return share(f.counts.digits, f.counts.visible()); }},
    {"punctuation", Must::be_at_most, [](const FormatConfig& c) { return c.max_punctuation_ratio; },
     [](const Facts& f) { return share(f.counts.punctuation, f.counts.visible()); }},
    {"repeated_characters", Must::be_at_most,
     [](const FormatConfig& c) { return c.max_repeated_ratio; },
     [](const Facts& f) { return share(f.counts.repeated, f.counts.visible()); }},
    {"duplicate_5_grams", Must::be_at_most,
     [](const FormatConfig& c) { return c.max_duplicate_ratio; },
     [](const Facts& f) { return f.repetition.duplicate_grams[0]; }},
};

/// Rules of a paper, and whom they are asked of; null: of every text.
struct SetRule {
  RuleSet set;
  std::string_view name;
  Must must;
  double threshold;
  Measure measure;
  bool (*applies)(const Facts&) = nullptr;
};

template <std::size_t n>
double top_gram(const Facts& f) {
  return f.repetition.top_grams[n - 2];
}
template <std::size_t n>
double duplicate_gram(const Facts& f) {
  return f.repetition.duplicate_grams[n - 5];
}
constexpr int64_t kC4Sentences = 3;
double word_count(const Facts& f) { return f.counts.word_count(); }
double mean_word_length(const Facts& f) {
  return share(f.counts.word_characters, static_cast<int64_t>(f.counts.words.size()));
}

constexpr SetRule kSetRules[] = {
    {RuleSet::gopher, "gopher_min_words", Must::be_at_least, 50, word_count},
    {RuleSet::gopher, "gopher_max_words", Must::be_at_most, 100'000, word_count},
    {RuleSet::gopher, "gopher_min_word_length", Must::be_at_least, 3, mean_word_length, has_spaces},
    {RuleSet::gopher, "gopher_max_word_length", Must::be_at_most, 10, mean_word_length, has_spaces},
    {RuleSet::gopher, "gopher_hashes", Must::be_at_most, 0.1,
     [](const Facts& f) { return per_word(f.counts.hashes, f); }},
    {RuleSet::gopher, "gopher_ellipses", Must::be_at_most, 0.1,
     [](const Facts& f) { return per_word(f.counts.ellipses, f); }},
    {RuleSet::gopher, "gopher_bullet_lines", Must::be_at_most, 0.9,
     [](const Facts& f) { return share(f.lines.bullet_lines, f.lines.lines); }},
    {RuleSet::gopher, "gopher_ellipsis_lines", Must::be_at_most, 0.3,
     [](const Facts& f) { return share(f.lines.ellipsis_lines, f.lines.lines); }},
    {RuleSet::gopher, "gopher_words_with_letter", Must::be_at_least, 0.8,
     [](const Facts& f) {
       return share(f.counts.words_with_letter, static_cast<int64_t>(f.counts.words.size()));
     }},
    {RuleSet::gopher, "gopher_stop_words", Must::be_at_least, 2,
     [](const Facts& f) { return static_cast<double>(std::popcount(f.counts.gopher_stop_words)); },
     may_be_english},
    {RuleSet::gopher, "gopher_duplicate_lines", Must::be_at_most, 0.3,
     [](const Facts& f) { return share(f.lines.duplicate_lines, f.lines.lines); }},
    {RuleSet::gopher, "gopher_duplicate_line_characters", Must::be_at_most, 0.2,
     [](const Facts& f) { return share(f.lines.duplicate_line_characters, f.lines.characters); }},
    {RuleSet::gopher, "gopher_duplicate_paragraphs", Must::be_at_most, 0.3,
     [](const Facts& f) { return share(f.lines.duplicate_paragraphs, f.lines.paragraphs); }},
    {RuleSet::gopher, "gopher_duplicate_paragraph_characters", Must::be_at_most, 0.2,
     [](const Facts& f) {
       return share(f.lines.duplicate_paragraph_characters, f.lines.characters);
     }},
    {RuleSet::gopher, "gopher_top_2_gram", Must::be_at_most, 0.20, top_gram<2>},
    {RuleSet::gopher, "gopher_top_3_gram", Must::be_at_most, 0.18, top_gram<3>},
    {RuleSet::gopher, "gopher_top_4_gram", Must::be_at_most, 0.16, top_gram<4>},
    {RuleSet::gopher, "gopher_duplicate_5_grams", Must::be_at_most, 0.15, duplicate_gram<5>},
    {RuleSet::gopher, "gopher_duplicate_6_grams", Must::be_at_most, 0.14, duplicate_gram<6>},
    {RuleSet::gopher, "gopher_duplicate_7_grams", Must::be_at_most, 0.13, duplicate_gram<7>},
    {RuleSet::gopher, "gopher_duplicate_8_grams", Must::be_at_most, 0.12, duplicate_gram<8>},
    {RuleSet::gopher, "gopher_duplicate_9_grams", Must::be_at_most, 0.11, duplicate_gram<9>},
    {RuleSet::gopher, "gopher_duplicate_10_grams", Must::be_at_most, 0.10, duplicate_gram<10>},
    {RuleSet::c4, "c4_sentences", Must::be_at_least, kC4Sentences,
     [](const Facts& f) { return static_cast<double>(count_c4_sentences(f.text, kC4Sentences)); }},
    {RuleSet::c4, "c4_lorem_ipsum", Must::be_at_most, 0,
     [](const Facts& f) { return contains_ignoring_case(f.text, "lorem ipsum", 'p') ? 1.0 : 0.0; }},
    {RuleSet::c4, "c4_curly_brackets", Must::be_at_most, 0,
     [](const Facts& f) { return static_cast<double>(f.counts.curly_brackets); }},
    {RuleSet::fineweb, "fineweb_line_punctuation", Must::be_above, 0.12,
     [](const Facts& f) { return share(f.lines.ended_lines, f.lines.lines); }},
    {RuleSet::fineweb, "fineweb_duplicate_line_characters", Must::be_below, 0.1,
     [](const Facts& f) { return share(f.lines.duplicate_line_characters, f.lines.characters); }},
    {RuleSet::fineweb, "fineweb_short_lines", Must::be_below, 0.67,
     [](const Facts& f) { return share(f.lines.short_lines, f.lines.lines); }},
};

}  // namespace

std::vector<RuleFailure> check_format(std::string_view text, const FormatConfig& config) {
  const Facts facts(text);
  if (facts.counts.visible() == 0) return {{"empty", 0, 1}};
  std::vector<RuleFailure> failures;
  for (const OwnRule& rule : kOwnRules) {
    const double value = rule.measure(facts), threshold = rule.threshold(config);
    if (!holds(value, rule.must, threshold)) failures.push_back({rule.name, value, threshold});
  }
  if (config.check_json && begins_as_json(text) && !is_json(text)) {
    failures.push_back({"broken_json", 1, 0});
  }
  for (const SetRule& rule : kSetRules) {
    const bool chosen =
        std::find(config.sets.begin(), config.sets.end(), rule.set) != config.sets.end();
    if (!chosen) continue;
    const double value = rule.measure(facts);
    if (holds(value, rule.must, rule.threshold)) continue;
    // Asked last: the language takes longer to find than all the measures.
    if (!rule.applies || rule.applies(facts))
      failures.push_back({rule.name, value, rule.threshold});
  }
  return failures;
}

}  // namespace cupel::curate
