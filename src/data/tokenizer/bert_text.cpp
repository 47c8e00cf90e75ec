#include "data/tokenizer/bert_text.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "base/error.h"
#include "data/tokenizer/character_ranges.h"
#include "data/tokenizer/unicode_classes.h"

namespace cupel {

namespace {

/// Marks, punctuation and format characters that came after the tables of the reference
/// implementation (up to Unicode 18), with whatever unassigned or other characters lie between
/// them.
constexpr CharacterRange kLaterSigns[] = {
    {0x5c8, 0x5c9},     {0x61d, 0x61d},     {0x7fd, 0x7fd},     {0x890, 0x8e2},
    {0x9fd, 0x9fe},     {0xa76, 0xa76},     {0xafa, 0xaff},     {0xb53, 0xb55},
    {0xc04, 0xc3c},     {0xc77, 0xc77},     {0xc84, 0xc84},     {0xd00, 0xd00},
    {0xd3b, 0xd3c},     {0xd81, 0xd81},     {0xeba, 0xeba},     {0xece, 0xece},
    {0x180f, 0x1886},   {0x1abf, 0x1af0},   {0x1b4e, 0x1b4f},   {0x1b7d, 0x1b7f},
    {0x1df6, 0x1dfb},   {0x2e43, 0x2e63},   {0xa82c, 0xa82c},   {0xa8c5, 0xa8c5},
    {0xa8ff, 0xa8ff},   {0xa9bd, 0xa9bd},   {0x10d24, 0x10f89}, {0x11070, 0x11074},
    {0x110c2, 0x110cd}, {0x111c9, 0x111c9}, {0x111cf, 0x111cf}, {0x1123e, 0x11241},
    {0x1133b, 0x1133b}, {0x113bb, 0x1145e}, {0x11660, 0x1166c}, {0x116b9, 0x116b9},
    {0x1182f, 0x11fff}, {0x12ff1, 0x1612f}, {0x16d6d, 0x16f4f}, {0x16fe2, 0x16fe4},
    {0x1cf00, 0x1d128}, {0x1d25b, 0x1d25c}, {0x1e000, 0x1e6f5}, {0x1e944, 0x1e95f}};

/// CJK ideographs as the reference implementation has them, its 0x2b920 (for 0x2b820) included.
constexpr CharacterRange kIdeographs[] = {
    {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xf900, 0xfaff},  {0x20000, 0x2a6df},
    {0x2a700, 0x2b81f}, {0x2b920, 0x2ceaf}, {0x2f800, 0x2fa1f}};

/// What cleaning removes.
bool is_control(int32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  if (c == 0xfffd) return true;
  const utf8proc_category_t category = utf8proc_category(c);
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CO ||
         (category == UTF8PROC_CATEGORY_CF && !contains(kLaterSigns, c));
}

bool is_nonspacing_mark(int32_t c) {
  return (utf8proc_category(c) == UTF8PROC_CATEGORY_MN && !contains(kLaterSigns, c)) ||
         c == 0x1734 || c == 0x1171e;  // which became spacing marks later
}

}  // namespace

bool is_bert_punctuation(int32_t c) {
  if (c < 0x80) {
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
  }
  const utf8proc_category_t category = utf8proc_category(c);
  return (category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO &&
          !contains(kLaterSigns, c)) ||
         c == 0x166d || c == 0x111c9;  // which were punctuation once
}

BertNormalizer BertNormalizer::parse(const json::Value& value, const std::string& where) {
  const json::Value* type = value.find("type");
  if (type == nullptr || *type != json::Value("BertNormalizer")) {
    fail(ErrorKind::data, where,
         (type == nullptr ? "null" : json::dump(*type)) + " is no normalizer of WordPiece",
         "known: BertNormalizer");
  }
  const auto flag = [&](std::string_view key, bool otherwise) {
    const json::Value* member = value.find(key);
    return member == nullptr || member->is_null() ? otherwise
                                                  : member->as_bool(where + "." + std::string(key));
  };
  Options options;
  options.clean_text = flag("clean_text", true);
  options.handle_chinese_chars = flag("handle_chinese_chars", true);
  options.lowercase = flag("lowercase", true);
  options.strip_accents = flag("strip_accents", options.lowercase);
  return BertNormalizer(options);
}

void BertNormalizer::apply(std::string_view text, std::string& out) const {
  if (is_ascii(text)) {
    for (const char c : text) {
      if (options_.clean_text && is_control(c)) continue;
      const bool blank = options_.clean_text && is_white_space(c);
      const bool upper = options_.lowercase && c >= 'A' && c <= 'Z';
      out.push_back(blank ? ' ' : upper ? static_cast<char>(c - 'A' + 'a') : c);
    }
    return;
  }
  std::string prepared;
  prepare(text, prepared);
  finish(options_.strip_accents ? normal_form(prepared, UnicodeForm::nfd) : prepared, out);
}

/// Cleaning, and spaces around ideographs.
void BertNormalizer::prepare(std::string_view text, std::string& out) const {
  for (std::size_t at = 0; at < text.size();) {
    const int32_t c = take_character(text, at);
    if (options_.clean_text && is_control(c)) continue;
    if (options_.clean_text && is_white_space(c)) {
      out.push_back(' ');
    } else if (options_.handle_chinese_chars && contains(kIdeographs, c)) {
      out.push_back(' ');
      append_character(c, out);
      out.push_back(' ');
    } else {
      append_character(c, out);
    }
  }
}

/// Of decomposed text: no marks, lower case.
void BertNormalizer::finish(std::string_view text, std::string& out) const {
  for (std::size_t at = 0; at < text.size();) {
    const int32_t c = take_character(text, at);
    if (options_.strip_accents && is_nonspacing_mark(c)) continue;
    options_.lowercase ? append_lower_case(c, out) : append_character(c, out);
  }
}

void for_each_bert_word(std::string_view text, const std::function<bool(std::string_view)>& word) {
  std::size_t begin = 0;  // of the word that is open
  for (std::size_t at = 0, from = 0; at < text.size(); from = at) {
    const int32_t c = take_character(text, at);
    const bool punctuation = is_bert_punctuation(c);
    if (!punctuation && !is_white_space(c)) continue;
    if (begin < from && !word(text.substr(begin, from - begin))) return;
    begin = at;
    if (punctuation && !word(text.substr(from, at - from))) return;
  }
  if (begin < text.size()) word(text.substr(begin));
}

}  // namespace cupel
