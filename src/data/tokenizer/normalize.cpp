#include "data/tokenizer/normalize.h"

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "data/tokenizer/bert_text.h"
#include "data/tokenizer/regex.h"
#include "data/tokenizer/unicode_classes.h"
#include "data/tokenizer/unicode_forms.h"
#include "data/tokenizer/vocabulary.h"

namespace cupel {

namespace {

bool never(std::string_view) { return false; }

std::string lower_case(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) append_lower_case(take_character(text, at), out);
  return out;
}

std::string without_marks(std::string_view text) {
  std::string out;
  for (std::size_t at = 0, from = 0; at < text.size(); from = at) {
    if (!is_combining_mark(take_character(text, at))) out += text.substr(from, at - from);
  }
  return out;
}

std::string_view strip_white_space(std::string_view text, bool left, bool right) {
  std::size_t begin = text.size(), end = 0;  // of what is not white space
  for (std::size_t at = 0, from = 0; at < text.size(); from = at) {
    if (is_white_space(take_character(text, at))) continue;
    begin = std::min(begin, from);
    end = at;
  }
  if (!left) begin = 0;
  if (!right) end = text.size();
  return text.substr(begin, end > begin ? end - begin : 0);
}

bool flag(const json::Value& value, std::string_view key, const std::string& where) {
  return value.at(key, where).as_bool(where + "." + std::string(key));
}

}  // namespace

Normalizer Normalizer::parse(const json::Value& value, const std::string& where) {
  Normalizer normalizer;
  normalizer.add(value, where);
  return normalizer;
}

void Normalizer::add(const json::Value& value, const std::string& where) {
  if (value.is_null()) return;
  const std::string& type = value.at("type", where).as_string(where + ".type");
  if (type != "Sequence" && type != "NFC") lines_apart_ = false;
  if (type == "Sequence") {
    const std::string here = where + ".normalizers";
    for (const json::Value& item : value.at("normalizers", where).as_array(here)) add(item, here);
  } else if (const auto form = unicode_form(type)) {
    steps_.push_back({[form](std::string_view text) { return normal_form(text, *form); },
                      [form](std::string_view text) { return is_normal(text, *form); }});
  } else if (type == "BertNormalizer") {
    const auto bert = std::make_shared<const BertNormalizer>(BertNormalizer::parse(value, where));
    steps_.push_back({[bert](std::string_view text) {
                        std::string out;
                        bert->apply(text, out);
                        return out;
                      },
                      never});
  } else if (type == "Lowercase") {
    steps_.push_back({lower_case, never});
  } else if (type == "StripAccents") {
    steps_.push_back({without_marks, is_ascii});
  } else if (type == "Prepend") {
    steps_.push_back({[prefix = value.at("prepend", where).as_string(where + ".prepend")](
                          std::string_view text) {
                        return text.empty() ? std::string() : prefix + std::string(text);
                      },
                      never});
  } else if (type == "Replace") {
    add_replace(value, where);
  } else if (type == "Strip") {
    add_strip(value, where);
  } else {
    fail(ErrorKind::data, where, "unknown normalizer \"" + type + "\"",
         "known: BertNormalizer, Lowercase, NFC, NFD, NFKC, NFKD, Prepend, Replace, Sequence, "
         "Strip, StripAccents");
  }
  if (steps_.size() > kMaxSteps)
    fail(ErrorKind::data, where, "more than 64 steps", "leave out those that change nothing");
}

void Normalizer::add_replace(const json::Value& value, const std::string& where) {
  const Regex regex = parse_pattern(value.at("pattern", where), where + ".pattern");
  steps_.push_back({[regex, content = value.at("content", where).as_string(where + ".content")](
                        std::string_view text) {
                      return replace_all(regex, content, text, most_bytes(text.size()));
                    },
                    [regex](std::string_view text) { return !regex.find(text, 0); }});
}

void Normalizer::add_strip(const json::Value& value, const std::string& where) {
  const bool left = flag(value, "strip_left", where), right = flag(value, "strip_right", where);
  steps_.push_back({[left, right](std::string_view text) {
                      return std::string(strip_white_space(text, left, right));
                    },
                    never});
}

bool Normalizer::keeps(std::string_view text) const {
  for (const Step& step : steps_) {
    if (!step.keeps(text)) return false;
  }
  return true;
}

std::string Normalizer::apply(std::string_view text) const {
  std::string result(text);
  for (const Step& step : steps_) {
    if (!step.keeps(result)) result = step.apply(result);
    check_growth(result.size(), most_bytes(text.size()));
  }
  return result;
}

}  // namespace cupel
