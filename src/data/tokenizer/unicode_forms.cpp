#include "data/tokenizer/unicode_forms.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <vector>

#include "base/error.h"
#include "data/tokenizer/character_ranges.h"
#include "data/tokenizer/unicode_classes.h"

namespace cupel {

namespace {

/// Characters that decompose, compose or move in later versions of Unicode only.
constexpr CharacterRange kLaterForms[] = {
    {0x7fd, 0x7fd},     {0x898, 0x89f},     {0x8ca, 0x8d3},     {0x9fe, 0x9fe},
    {0xc3c, 0xc3c},     {0xd3b, 0xd3c},     {0xeba, 0xeba},     {0x1715, 0x1715},
    {0x1abf, 0x1ace},   {0x1df6, 0x1dfa},   {0x32ff, 0x32ff},   {0xa7f2, 0xa7f4},
    {0xa82c, 0xa82c},   {0xab69, 0xab69},   {0x10781, 0x10785}, {0x10787, 0x107b0},
    {0x107b2, 0x107ba}, {0x10d24, 0x10d27}, {0x10eab, 0x10eac}, {0x10efd, 0x10eff},
    {0x10f46, 0x10f50}, {0x10f82, 0x10f85}, {0x11070, 0x11070}, {0x1133b, 0x1133b},
    {0x1145e, 0x1145e}, {0x11839, 0x1183a}, {0x11930, 0x11930}, {0x11935, 0x11935},
    {0x11938, 0x11938}, {0x1193d, 0x1193e}, {0x11943, 0x11943}, {0x119e0, 0x119e0},
    {0x11a34, 0x11a34}, {0x11a47, 0x11a47}, {0x11a99, 0x11a99}, {0x11d42, 0x11d42},
    {0x11d44, 0x11d45}, {0x11d97, 0x11d97}, {0x11f41, 0x11f42}, {0x16ff0, 0x16ff1},
    {0x1e030, 0x1e06d}, {0x1e08f, 0x1e08f}, {0x1e130, 0x1e136}, {0x1e2ae, 0x1e2ae},
    {0x1e2ec, 0x1e2ef}, {0x1e4ec, 0x1e4ef}, {0x1f16c, 0x1f16c}, {0x1fbf0, 0x1fbf9}};

/// Marks of later versions.
constexpr CharacterRange kLaterMarks[] = {
    {0x7fd, 0x7fd},     {0x898, 0x89f},     {0x8ca, 0x8d3},     {0x9fe, 0x9fe},
    {0xafa, 0xaff},     {0xb55, 0xb55},     {0xc04, 0xc04},     {0xc3c, 0xc3c},
    {0xcf3, 0xcf3},     {0xd00, 0xd00},     {0xd3b, 0xd3c},     {0xd81, 0xd81},
    {0xeba, 0xeba},     {0xece, 0xece},     {0x1715, 0x1715},   {0x180f, 0x180f},
    {0x1abf, 0x1ace},   {0x1cf2, 0x1cf3},   {0x1cf7, 0x1cf7},   {0x1df6, 0x1dfa},
    {0xa82c, 0xa82c},   {0xa8ff, 0xa8ff},   {0x10d24, 0x10d27}, {0x10eab, 0x10eac},
    {0x10efd, 0x10eff}, {0x10f46, 0x10f50}, {0x10f82, 0x10f85}, {0x11070, 0x11070},
    {0x11073, 0x11074}, {0x110c2, 0x110c2}, {0x11145, 0x11146}, {0x111c9, 0x111c9},
    {0x111ce, 0x111cf}, {0x11241, 0x11241}, {0x1133b, 0x1133b}, {0x1145e, 0x1145e},
    {0x1182c, 0x1183a}, {0x11930, 0x11935}, {0x11937, 0x11938}, {0x1193b, 0x1193e},
    {0x11940, 0x11940}, {0x11942, 0x11943}, {0x119d1, 0x119d7}, {0x119da, 0x119e0},
    {0x119e4, 0x119e4}, {0x11a01, 0x11a0a}, {0x11a33, 0x11a39}, {0x11a3b, 0x11a3e},
    {0x11a47, 0x11a47}, {0x11a51, 0x11a5b}, {0x11a8a, 0x11a99}, {0x11d31, 0x11d36},
    {0x11d3a, 0x11d3a}, {0x11d3c, 0x11d3d}, {0x11d3f, 0x11d45}, {0x11d47, 0x11d47},
    {0x11d8a, 0x11d8e}, {0x11d90, 0x11d91}, {0x11d93, 0x11d97}, {0x11ef3, 0x11ef6},
    {0x11f00, 0x11f01}, {0x11f03, 0x11f03}, {0x11f34, 0x11f3a}, {0x11f3e, 0x11f42},
    {0x13440, 0x13440}, {0x13447, 0x13455}, {0x16f4f, 0x16f4f}, {0x16f7f, 0x16f87},
    {0x16fe4, 0x16fe4}, {0x16ff0, 0x16ff1}, {0x1cf00, 0x1cf2d}, {0x1cf30, 0x1cf46},
    {0x1e08f, 0x1e08f}, {0x1e130, 0x1e136}, {0x1e2ae, 0x1e2ae}, {0x1e2ec, 0x1e2ef},
    {0x1e4ec, 0x1e4ef}};

int options_of(UnicodeForm form) {
  const bool compose = form == UnicodeForm::nfc || form == UnicodeForm::nfkc;
  const bool compat = form == UnicodeForm::nfkc || form == UnicodeForm::nfkd;
  return UTF8PROC_STABLE | (compose ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE) |
         (compat ? UTF8PROC_COMPAT : 0);
}

/// Characters from here on are in normal form and stay where they are (ideographs that stand for
/// others end before).
constexpr int32_t kEnd = 0x2fa20;

void append_form(std::string_view text, UnicodeForm form, std::string& out) {
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                             static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                                             static_cast<utf8proc_option_t>(options_of(form)));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  if (size < 0) {
    fail(ErrorKind::resource, "[data.tokenizer]",
         std::string("normalisation failed: ") + utf8proc_errmsg(size));
  }
  out.append(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size));
}

/// Of each character: whether it is in NFC, does not move, and composes with none before it.
std::vector<bool> find_inert() {
  std::vector<bool> inert(kEnd, true);
  const auto set = [&](int32_t c) { inert[static_cast<std::size_t>(c)] = false; };
  for (int32_t c = 0x80; c < kEnd; ++c) {
    if (contains(kLaterForms, c) || (c >= 0xac00 && c < 0xd7a4))
      continue;  // syllables are all inert
    if (utf8proc_get_property(c)->combining_class != 0) set(c);
    utf8proc_int32_t parts[8];
    int boundclass = 0;
    const auto count = utf8proc_decompose_char(c, parts, 8, UTF8PROC_DECOMPOSE, &boundclass);
    if (count < 1 || (count == 1 && parts[0] == c)) continue;
    std::string text, form;
    append_character(c, text);
    append_form(text, UnicodeForm::nfc, form);
    if (form != text) set(c);
    for (utf8proc_ssize_t i = 1; i < std::min<utf8proc_ssize_t>(count, 8); ++i) set(parts[i]);
  }
  for (int32_t c = 0x1161; c < 0x1200; ++c) set(c);  // jamo that end a syllable
  return inert;
}

bool is_inert(int32_t character) {
  static const std::vector<bool> inert = find_inert();
  return character >= kEnd || inert[static_cast<std::size_t>(character)];
}

}  // namespace

std::optional<UnicodeForm> unicode_form(std::string_view name) {
  constexpr std::string_view kNames[] = {"NFC", "NFD", "NFKC", "NFKD"};
  const auto at = std::ranges::find(kNames, name);
  if (at == std::end(kNames)) return std::nullopt;
  return static_cast<UnicodeForm>(at - std::begin(kNames));
}

/// Characters that nothing composes with, and later ones, cut the text: so most of it is copied.
std::string normal_form(std::string_view text, UnicodeForm form) {
  const bool quick = form == UnicodeForm::nfc;
  std::string out;
  out.reserve(text.size());
  std::size_t open = 0;  // begin of what has to be normalised, or is the character before that
  bool wanted = false;
  const auto close = [&](std::size_t end) {
    if (open == end) return;
    const std::string_view piece = text.substr(open, end - open);
    wanted ? append_form(piece, form, out) : void(out += piece);
    open = end;
    wanted = false;
  };
  for (std::size_t at = 0, from = 0; at < text.size(); from = at) {
    const int32_t character = take_character(text, at);
    if (character >= 0x80 && contains(kLaterForms, character)) {
      close(from);
      close(at);
    } else if (quick && is_inert(character)) {
      close(from);
    } else if (character >= 0x80) {
      wanted = true;
    }
  }
  close(text.size());
  return out;
}

bool is_normal(std::string_view text, UnicodeForm form) {
  if (is_ascii(text)) return true;
  if (form != UnicodeForm::nfc) return false;
  for (std::size_t at = 0; at < text.size();) {
    if (!is_inert(take_character(text, at))) return false;
  }
  return true;
}

bool is_combining_mark(int32_t character) {
  if (character == 0x1cf2 || character == 0x1cf3) return true;  // which became letters
  const utf8proc_category_t category = utf8proc_category(character);
  return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME &&
         !contains(kLaterMarks, character);
}

bool is_ascii(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return (c & 0x80) != 0; });
}

}  // namespace cupel
