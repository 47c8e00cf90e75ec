#include "data/tokenizer/pretokenize.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "data/tokenizer/bert_text.h"
#include "data/tokenizer/members.h"
#include "data/tokenizer/unicode_classes.h"
#include "data/tokenizer/vocabulary.h"

namespace cupel {

namespace {

/// \w+|[^\w\s]+ of Whitespace: `piece` gets words, runs of other characters, and spaces, which are
/// no match.
template <class Piece>
void cut_words(std::string_view text, const Piece& piece) {
  enum Kind { word, other, space, none };
  Kind open = none;
  std::size_t begin = 0;
  for (std::size_t at = 0, from = 0; at < text.size(); from = at) {
    const int32_t c = take_character(text, at);
    const Kind kind = is_word_character(c) ? word : is_white_space(c) ? space : other;
    if (kind == open) continue;
    if (from > begin) piece(text.substr(begin, from - begin), open != space);
    begin = from;
    open = kind;
  }
  if (begin < text.size()) piece(text.substr(begin), open != space);
}

}  // namespace

PreTokenizer PreTokenizer::parse(const json::Value& value, const std::string& where) {
  PreTokenizer pre_tokenizer;
  if (!value.is_null()) pre_tokenizer.add(value, where);
  // Known patterns do not all cut at a line: that of numbers alone does not.
  std::string_view last;
  const auto take = [&](std::string_view word) { last = word; };
  if (pre_tokenizer.lines_apart_) pre_tokenizer.for_each_word("a\nb", true, take);
  pre_tokenizer.lines_apart_ = last == "b";
  return pre_tokenizer;
}

void PreTokenizer::add(const json::Value& value, const std::string& where) {
  const std::string& type = value.at("type", where).as_string(where + ".type");
  if (type == "Sequence") {
    const std::string here = where + ".pretokenizers";
    for (const json::Value& item : value.at("pretokenizers", where).as_array(here)) add(item, here);
    return;
  }
  if (byte_level_) {
    fail(ErrorKind::data, where, "\"" + type + "\" stands after ByteLevel",
         "only a pre-tokenizer that ends with ByteLevel is known");
  }
  if (type != "Split" && type != "ByteLevel") lines_apart_ = false;
  if (type == "Split") {
    add_split(value, where);
  } else if (type == "ByteLevel") {
    add_byte_level(value, where);
  } else if (type == "Metaspace") {
    add_metaspace(value, where);
  } else if (type == "Digits") {
    const bool each = flag(value, "individual_digits", false, where);
    add_characters(is_numeric, each ? Behavior::isolated : Behavior::contiguous);
  } else if (type == "BertPreTokenizer") {
    add_characters(is_white_space, Behavior::removed);
    add_characters(is_bert_punctuation, Behavior::isolated);
  } else if (type == "Punctuation") {
    add_characters(is_bert_punctuation,
                   value.find("behavior") == nullptr
                       ? Behavior::isolated
                       : parse_behavior(value.at("behavior", where), where + ".behavior"));
  } else if (type == "WhitespaceSplit") {
    add_characters(is_white_space, Behavior::removed);
  } else if (type == "Whitespace") {
    steps_.push_back(
        {.cut = [](std::string_view text, const Piece& piece) { cut_words(text, piece); },
         .behavior = Behavior::removed,
         .invert = true});
  } else {
    fail(ErrorKind::data, where, "unknown pre-tokenizer \"" + type + "\"",
         "known: BertPreTokenizer, ByteLevel, Digits, Metaspace, Punctuation, Sequence, Split, "
         "Whitespace, WhitespaceSplit");
  }
  if (steps_.size() > kMaxSteps)
    fail(ErrorKind::data, where, "more than 64 steps", "put several of its patterns in one");
}

void PreTokenizer::add_characters(bool (*matches)(int32_t), Behavior behavior) {
  steps_.push_back({.cut =
                        [matches](std::string_view text, const Piece& piece) {
                          std::size_t done = 0;
                          for (std::size_t at = 0, from = 0; at < text.size(); from = at) {
                            if (!matches(take_character(text, at))) continue;
                            if (from > done) piece(text.substr(done, from - done), false);
                            piece(text.substr(from, at - from), true);
                            done = at;
                          }
                          if (done < text.size()) piece(text.substr(done), false);
                        },
                    .behavior = behavior});
}

PreTokenizer::Behavior PreTokenizer::parse_behavior(const json::Value& value,
                                                    const std::string& where) {
  constexpr std::string_view kNames[] = {"Isolated", "Removed", "MergedWithPrevious",
                                         "MergedWithNext", "Contiguous"};
  const std::string& name = value.as_string(where);
  const auto at = std::ranges::find(kNames, name);
  if (at == std::end(kNames)) {
    fail(ErrorKind::data, where, "unknown behavior \"" + name + "\"",
         "known: Contiguous, Isolated, MergedWithNext, MergedWithPrevious, Removed");
  }
  return static_cast<Behavior>(at - std::begin(kNames));
}

void PreTokenizer::add_split(const json::Value& value, const std::string& where) {
  const Regex regex = parse_pattern(value.at("pattern", where), where + ".pattern");
  const json::Value* pattern = value.at("pattern", where).find("Regex");
  const bool known =
      pattern != nullptr && find_scan(pattern->as_string(where + ".pattern")) != nullptr;
  steps_.push_back({.cut = [regex](std::string_view text,
                                   const Piece& piece) { for_each_piece(regex, text, piece); },
                    .behavior = parse_behavior(value.at("behavior", where), where + ".behavior"),
                    .invert = flag(value, "invert", false, where)});
  const Step& step = steps_.back();
  if (!known || step.invert || step.behavior != Behavior::isolated) lines_apart_ = false;
}

void PreTokenizer::add_byte_level(const json::Value& value, const std::string& where) {
  byte_level_ = true;
  Step step;
  if (flag(value, "add_prefix_space", true, where)) {
    lines_apart_ = false;
    step.change = [](std::string_view text, bool) {
      return text.starts_with(' ') ? std::string(text) : ' ' + std::string(text);
    };
  }
  if (flag(value, "use_regex", true, where)) {
    step.cut = [regex = Regex(kGpt2Pattern, where)](std::string_view text, const Piece& piece) {
      for_each_piece(regex, text, piece);
    };
  }
  if (step.change || step.cut) steps_.push_back(std::move(step));
}

/// Spaces become a visible character, which begins each word.
void PreTokenizer::add_metaspace(const json::Value& value, const std::string& where) {
  const std::string mark = value.at("replacement", where).as_string(where + ".replacement");
  std::size_t characters = 0;
  for (std::size_t at = 0; at < mark.size(); ++characters) take_character(mark, at);
  if (characters != 1) {
    fail(ErrorKind::data, where + ".replacement", "\"" + mark + "\" is not one character",
         "the file is damaged; fetch it again");
  }
  std::string scheme = "always";
  if (const json::Value* member = value.find("prepend_scheme"))
    scheme = member->as_string(where + ".prepend_scheme");
  if (!flag(value, "add_prefix_space", true, where)) scheme = "never";
  if (scheme != "always" && scheme != "first" && scheme != "never") {
    fail(ErrorKind::data, where + ".prepend_scheme", "unknown scheme \"" + scheme + "\"",
         "known: always, first, never");
  }
  const Regex space = Regex::literal(" ", where);
  Step step;
  step.change = [mark, scheme, space](std::string_view text, bool at_start) {
    std::string changed;
    for_each_piece(space, text, [&](std::string_view piece, bool is_match) {
      changed += is_match ? std::string_view(mark) : piece;
    });
    const bool prepend = scheme == "always" || (scheme == "first" && at_start);
    return prepend && !changed.starts_with(mark) ? mark + changed : changed;
  };
  if (flag(value, "split", true, where)) {
    step.cut = [regex = Regex::literal(mark, where + ".replacement")](std::string_view text,
                                                                      const Piece& piece) {
      for_each_piece(regex, text, piece);
    };
    step.behavior = Behavior::merged_with_next;
  }
  steps_.push_back(std::move(step));
}

void PreTokenizer::cut(const Step& step, std::string_view text, const Word& word) {
  if (step.behavior == Behavior::isolated || step.behavior == Behavior::removed) {
    const bool remove = step.behavior == Behavior::removed;
    step.cut(text, [&](std::string_view piece, bool is_match) {
      if (!piece.empty() && (!remove || is_match == step.invert)) word(piece);
    });
    return;
  }
  std::vector<std::pair<std::string_view, bool>> pieces;
  step.cut(text, [&](std::string_view piece, bool is_match) {
    pieces.emplace_back(piece, is_match != step.invert);
  });
  const auto joined = [&](std::size_t i) {  // with the piece after it
    const bool here = pieces[i].second, next = pieces[i + 1].second;
    return step.behavior == Behavior::contiguous             ? here == next
           : step.behavior == Behavior::merged_with_previous ? !here && next
                                                             : here && !next;
  };
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const char* begin = pieces[i].first.data();
    while (i + 1 < pieces.size() && joined(i)) ++i;
    const char* end = pieces[i].first.data() + pieces[i].first.size();
    if (begin < end) word({begin, static_cast<std::size_t>(end - begin)});
  }
}

/// Depth first: each step hands its pieces to the next one, the last one to `word`.
void PreTokenizer::run(std::string_view piece, bool at_start, std::size_t index,
                       const Word& word) const {
  if (index == steps_.size()) return word(piece);
  const Step& step = steps_[index];
  std::string changed;
  if (step.change) {
    changed = step.change(piece, at_start);
    piece = changed;
  }
  if (!step.cut) return run(piece, at_start, index + 1, word);
  if (index + 1 == steps_.size()) return cut(step, piece, word);
  cut(step, piece, [&](std::string_view part) {
    run(part, at_start && part.data() == piece.data(), index + 1, word);
  });
}

void PreTokenizer::for_each_word(std::string_view text, bool at_start, const Word& word) const {
  if (!text.empty()) run(text, at_start, 0, word);
}

}  // namespace cupel
