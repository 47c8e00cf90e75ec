#include "data/tokenizer/unicode_classes.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <vector>

#include "data/tokenizer/character_ranges.h"

namespace cupel {

namespace {

struct Later {
  int32_t first, last;
  utf8proc_category_t category;
};

/// Characters of Unicode 15, 15.1 and 16.
constexpr Later kLater[] = {
    {0x897, 0x897, UTF8PROC_CATEGORY_MN},     {0xcf3, 0xcf3, UTF8PROC_CATEGORY_MC},
    {0xece, 0xece, UTF8PROC_CATEGORY_MN},     {0x1b4e, 0x1b4f, UTF8PROC_CATEGORY_PO},
    {0x1b7f, 0x1b7f, UTF8PROC_CATEGORY_PO},   {0x1c89, 0x1c89, UTF8PROC_CATEGORY_LU},
    {0x1c8a, 0x1c8a, UTF8PROC_CATEGORY_LL},   {0x2427, 0x2429, UTF8PROC_CATEGORY_SO},
    {0x2ffc, 0x2fff, UTF8PROC_CATEGORY_SO},   {0x31e4, 0x31e5, UTF8PROC_CATEGORY_SO},
    {0x31ef, 0x31ef, UTF8PROC_CATEGORY_SO},   {0xa7cb, 0xa7cc, UTF8PROC_CATEGORY_LU},
    {0xa7cd, 0xa7cd, UTF8PROC_CATEGORY_LL},   {0xa7da, 0xa7da, UTF8PROC_CATEGORY_LU},
    {0xa7db, 0xa7db, UTF8PROC_CATEGORY_LL},   {0xa7dc, 0xa7dc, UTF8PROC_CATEGORY_LU},
    {0x105c0, 0x105f3, UTF8PROC_CATEGORY_LO}, {0x10d40, 0x10d49, UTF8PROC_CATEGORY_ND},
    {0x10d4a, 0x10d4d, UTF8PROC_CATEGORY_LO}, {0x10d4e, 0x10d4e, UTF8PROC_CATEGORY_LM},
    {0x10d4f, 0x10d4f, UTF8PROC_CATEGORY_LO}, {0x10d50, 0x10d65, UTF8PROC_CATEGORY_LU},
    {0x10d69, 0x10d6d, UTF8PROC_CATEGORY_MN}, {0x10d6e, 0x10d6e, UTF8PROC_CATEGORY_PD},
    {0x10d6f, 0x10d6f, UTF8PROC_CATEGORY_LM}, {0x10d70, 0x10d85, UTF8PROC_CATEGORY_LL},
    {0x10d8e, 0x10d8f, UTF8PROC_CATEGORY_SM}, {0x10ec2, 0x10ec4, UTF8PROC_CATEGORY_LO},
    {0x10efc, 0x10eff, UTF8PROC_CATEGORY_MN}, {0x1123f, 0x11240, UTF8PROC_CATEGORY_LO},
    {0x11241, 0x11241, UTF8PROC_CATEGORY_MN}, {0x11380, 0x11389, UTF8PROC_CATEGORY_LO},
    {0x1138b, 0x1138b, UTF8PROC_CATEGORY_LO}, {0x1138e, 0x1138e, UTF8PROC_CATEGORY_LO},
    {0x11390, 0x113b5, UTF8PROC_CATEGORY_LO}, {0x113b7, 0x113b7, UTF8PROC_CATEGORY_LO},
    {0x113b8, 0x113ba, UTF8PROC_CATEGORY_MC}, {0x113bb, 0x113c0, UTF8PROC_CATEGORY_MN},
    {0x113c2, 0x113c2, UTF8PROC_CATEGORY_MC}, {0x113c5, 0x113c5, UTF8PROC_CATEGORY_MC},
    {0x113c7, 0x113ca, UTF8PROC_CATEGORY_MC}, {0x113cc, 0x113cd, UTF8PROC_CATEGORY_MC},
    {0x113ce, 0x113ce, UTF8PROC_CATEGORY_MN}, {0x113cf, 0x113cf, UTF8PROC_CATEGORY_MC},
    {0x113d0, 0x113d0, UTF8PROC_CATEGORY_MN}, {0x113d1, 0x113d1, UTF8PROC_CATEGORY_LO},
    {0x113d2, 0x113d2, UTF8PROC_CATEGORY_MN}, {0x113d3, 0x113d3, UTF8PROC_CATEGORY_LO},
    {0x113d4, 0x113d5, UTF8PROC_CATEGORY_PO}, {0x113d7, 0x113d8, UTF8PROC_CATEGORY_PO},
    {0x113e1, 0x113e2, UTF8PROC_CATEGORY_MN}, {0x116d0, 0x116e3, UTF8PROC_CATEGORY_ND},
    {0x11b00, 0x11b09, UTF8PROC_CATEGORY_PO}, {0x11bc0, 0x11be0, UTF8PROC_CATEGORY_LO},
    {0x11be1, 0x11be1, UTF8PROC_CATEGORY_PO}, {0x11bf0, 0x11bf9, UTF8PROC_CATEGORY_ND},
    {0x11f00, 0x11f01, UTF8PROC_CATEGORY_MN}, {0x11f02, 0x11f02, UTF8PROC_CATEGORY_LO},
    {0x11f03, 0x11f03, UTF8PROC_CATEGORY_MC}, {0x11f04, 0x11f10, UTF8PROC_CATEGORY_LO},
    {0x11f12, 0x11f33, UTF8PROC_CATEGORY_LO}, {0x11f34, 0x11f35, UTF8PROC_CATEGORY_MC},
    {0x11f36, 0x11f3a, UTF8PROC_CATEGORY_MN}, {0x11f3e, 0x11f3f, UTF8PROC_CATEGORY_MC},
    {0x11f40, 0x11f40, UTF8PROC_CATEGORY_MN}, {0x11f41, 0x11f41, UTF8PROC_CATEGORY_MC},
    {0x11f42, 0x11f42, UTF8PROC_CATEGORY_MN}, {0x11f43, 0x11f4f, UTF8PROC_CATEGORY_PO},
    {0x11f50, 0x11f59, UTF8PROC_CATEGORY_ND}, {0x11f5a, 0x11f5a, UTF8PROC_CATEGORY_MN},
    {0x1342f, 0x1342f, UTF8PROC_CATEGORY_LO}, {0x13440, 0x13440, UTF8PROC_CATEGORY_MN},
    {0x13441, 0x13446, UTF8PROC_CATEGORY_LO}, {0x13447, 0x13455, UTF8PROC_CATEGORY_MN},
    {0x13460, 0x143fa, UTF8PROC_CATEGORY_LO}, {0x16100, 0x1611d, UTF8PROC_CATEGORY_LO},
    {0x1611e, 0x16129, UTF8PROC_CATEGORY_MN}, {0x1612a, 0x1612c, UTF8PROC_CATEGORY_MC},
    {0x1612d, 0x1612f, UTF8PROC_CATEGORY_MN}, {0x16130, 0x16139, UTF8PROC_CATEGORY_ND},
    {0x16d40, 0x16d42, UTF8PROC_CATEGORY_LM}, {0x16d43, 0x16d6a, UTF8PROC_CATEGORY_LO},
    {0x16d6b, 0x16d6c, UTF8PROC_CATEGORY_LM}, {0x16d6d, 0x16d6f, UTF8PROC_CATEGORY_PO},
    {0x16d70, 0x16d79, UTF8PROC_CATEGORY_ND}, {0x18cff, 0x18cff, UTF8PROC_CATEGORY_LO},
    {0x1b132, 0x1b132, UTF8PROC_CATEGORY_LO}, {0x1b155, 0x1b155, UTF8PROC_CATEGORY_LO},
    {0x1cc00, 0x1ccef, UTF8PROC_CATEGORY_SO}, {0x1ccf0, 0x1ccf9, UTF8PROC_CATEGORY_ND},
    {0x1cd00, 0x1ceb3, UTF8PROC_CATEGORY_SO}, {0x1d2c0, 0x1d2d3, UTF8PROC_CATEGORY_NO},
    {0x1df25, 0x1df2a, UTF8PROC_CATEGORY_LL}, {0x1e030, 0x1e06d, UTF8PROC_CATEGORY_LM},
    {0x1e08f, 0x1e08f, UTF8PROC_CATEGORY_MN}, {0x1e4d0, 0x1e4ea, UTF8PROC_CATEGORY_LO},
    {0x1e4eb, 0x1e4eb, UTF8PROC_CATEGORY_LM}, {0x1e4ec, 0x1e4ef, UTF8PROC_CATEGORY_MN},
    {0x1e4f0, 0x1e4f9, UTF8PROC_CATEGORY_ND}, {0x1e5d0, 0x1e5ed, UTF8PROC_CATEGORY_LO},
    {0x1e5ee, 0x1e5ef, UTF8PROC_CATEGORY_MN}, {0x1e5f0, 0x1e5f0, UTF8PROC_CATEGORY_LO},
    {0x1e5f1, 0x1e5fa, UTF8PROC_CATEGORY_ND}, {0x1e5ff, 0x1e5ff, UTF8PROC_CATEGORY_PO},
    {0x1f6dc, 0x1f6dc, UTF8PROC_CATEGORY_SO}, {0x1f774, 0x1f776, UTF8PROC_CATEGORY_SO},
    {0x1f77b, 0x1f77f, UTF8PROC_CATEGORY_SO}, {0x1f7d9, 0x1f7d9, UTF8PROC_CATEGORY_SO},
    {0x1f8b2, 0x1f8bb, UTF8PROC_CATEGORY_SO}, {0x1f8c0, 0x1f8c1, UTF8PROC_CATEGORY_SO},
    {0x1fa75, 0x1fa77, UTF8PROC_CATEGORY_SO}, {0x1fa87, 0x1fa89, UTF8PROC_CATEGORY_SO},
    {0x1fa8f, 0x1fa8f, UTF8PROC_CATEGORY_SO}, {0x1faad, 0x1faaf, UTF8PROC_CATEGORY_SO},
    {0x1fabb, 0x1fabf, UTF8PROC_CATEGORY_SO}, {0x1fac6, 0x1fac6, UTF8PROC_CATEGORY_SO},
    {0x1face, 0x1facf, UTF8PROC_CATEGORY_SO}, {0x1fada, 0x1fadc, UTF8PROC_CATEGORY_SO},
    {0x1fadf, 0x1fadf, UTF8PROC_CATEGORY_SO}, {0x1fae8, 0x1fae9, UTF8PROC_CATEGORY_SO},
    {0x1faf7, 0x1faf8, UTF8PROC_CATEGORY_SO}, {0x1fbcb, 0x1fbef, UTF8PROC_CATEGORY_SO},
    {0x2b739, 0x2b739, UTF8PROC_CATEGORY_LO}, {0x2ebf0, 0x2ee5d, UTF8PROC_CATEGORY_LO},
    {0x31350, 0x323af, UTF8PROC_CATEGORY_LO}};
/// In the order of utf8proc_category_t.
constexpr std::string_view kCategoryNames[] = {"Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc",
                                               "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe",
                                               "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So"};

/// Letters in circles and squares, and the joiners: \w, though their categories say otherwise.
constexpr CharacterRange kOtherWord[] = {
    {0x200c, 0x200d}, {0x24b6, 0x24e9}, {0x1f130, 0x1f149}, {0x1f150, 0x1f169}, {0x1f170, 0x1f189}};
/// Digits of Unicode 17.
constexpr CharacterRange kLaterNumeric[] = {{0x11de0, 0x11de9}, {0x16ff4, 0x16ff6}};

struct Cases {
  int32_t first, last, distance;
};

/// Capitals of Unicode 16 and 17.
constexpr Cases kLaterCapitals[] = {{0x1c89, 0x1c89, 1},      {0xa7cb, 0xa7cb, 0x264 - 0xa7cb},
                                    {0xa7cc, 0xa7cc, 1},      {0xa7ce, 0xa7ce, 1},
                                    {0xa7d2, 0xa7d2, 1},      {0xa7d4, 0xa7d4, 1},
                                    {0xa7da, 0xa7da, 1},      {0xa7dc, 0xa7dc, 0x19b - 0xa7dc},
                                    {0x10d50, 0x10d65, 0x20}, {0x16ea0, 0x16eb8, 0x1b}};

utf8proc_category_t category_of(int32_t character) {
  const utf8proc_category_t category = utf8proc_category(character);
  if (category != UTF8PROC_CATEGORY_CN) return category;
  const Later* later = find_range(kLater, character);
  return later == nullptr ? category : later->category;
}

constexpr int32_t kCharacters = 0x110000, kClassBlock = 256;

uint8_t compute_classes(int32_t character) {
  if (character == '\r' || character == '\n') return kSpace | kLineBreak;
  if (is_white_space(character)) return kSpace;
  const utf8proc_category_t category = category_of(character);
  if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) return kLetter;
  if (category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME) return kMark;
  if (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO) return kNumber;
  if (category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO) return kPunctuation;
  if (category >= UTF8PROC_CATEGORY_SM && category <= UTF8PROC_CATEGORY_SO) return kSymbol;
  return 0;
}

/// Equal blocks of characters are held once.
struct ClassTable {
  std::array<uint16_t, kCharacters / kClassBlock> block_of{};
  std::vector<std::array<uint8_t, kClassBlock>> blocks;

  ClassTable() {
    for (std::size_t i = 0; i < block_of.size(); ++i) {
      std::array<uint8_t, kClassBlock> block;
      for (std::size_t j = 0; j < block.size(); ++j)
        block[j] = compute_classes(static_cast<int32_t>(i * kClassBlock + j));
      const auto same = std::ranges::find(blocks, block);
      block_of[i] = static_cast<uint16_t>(same - blocks.begin());
      if (same == blocks.end()) blocks.push_back(block);
    }
  }
};

}  // namespace

uint8_t classes_of(int32_t character) {
  static const ClassTable classes;
  const auto index = static_cast<std::size_t>(character);
  return classes.blocks[classes.block_of[index / kClassBlock]][index % kClassBlock];
}

std::string later_characters(std::string_view category) {
  std::string found;
  for (const Later& later : kLater) {
    if (!kCategoryNames[later.category].starts_with(category)) continue;
    char text[40];
    std::snprintf(text, sizeof text, "\\x{%x}-\\x{%x}", static_cast<unsigned>(later.first),
                  static_cast<unsigned>(later.last));
    found += text;
  }
  return found;
}

bool is_word_character(int32_t character) {
  const utf8proc_category_t category = category_of(character);
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NL) ||
         category == UTF8PROC_CATEGORY_PC || find_range(kOtherWord, character) != nullptr;
}

bool is_white_space(int32_t character) {
  if ((character >= 9 && character <= 13) || character == 0x85) return true;
  const utf8proc_category_t category = utf8proc_category(character);
  return category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_ZP;
}

bool is_numeric(int32_t character) {
  return (classes_of(character) & kNumber) != 0 || find_range(kLaterNumeric, character) != nullptr;
}

void append_lower_case(int32_t character, std::string& out) {
  const Cases* later = find_range(kLaterCapitals, character);
  append_character(later == nullptr ? utf8proc_tolower(character) : character + later->distance,
                   out);
  if (character == 0x130) append_character(0x307, out);  // i and a dot above
}

void append_character(int32_t character, std::string& out) {
  utf8proc_uint8_t encoded[4];
  const auto size = utf8proc_encode_char(character, encoded);
  out.append(reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(size));
}

}  // namespace cupel
