#include "data/tokenizer/gguf_pre.h"

#include <algorithm>
#include <vector>

#include "data/tokenizer/unicode_classes.h"

namespace cupel {

namespace {

constexpr std::string_view kLlama3 =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
constexpr std::string_view kQwen2 =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
constexpr std::string_view kDeepSeek3 =
    "[!\"#$%&'()*+,\\-./"
    ":;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]"
    "+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
/// The published list of letters is that of cased ones without the mathematical alphabets.
constexpr std::string_view kDeepSeekLetters =
    "\\s?(?:(?![\\x{1D400}-\\x{1D7FF}])[\\p{Lu}\\p{Ll}\\p{Lt}])+";
constexpr std::string_view kDeepSeekSigns =
    "\\s?[!-/:-~\\x{FF01}-\\x{FF0F}\\x{FF1A}-\\x{FF5E}\\x{2018}-\\x{201F}\\x{3000}-\\x{3002}]+";
constexpr std::string_view kDeepSeekAsian =
    "[\\x{4E00}-\\x{9FA5}\\x{0800}-\\x{4E00}\\x{AC00}-\\x{D7FF}]+";

const std::array kRows{
    GgufPre{{"gpt-2", "default", "phi-2", "olmo", "mpt"}, {}, true},
    GgufPre{{"smollm", "starcoder", "refact", "command-r", "codeshell"}, {"\\p{N}"}, true},
    GgufPre{{"llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral"},
            {kLlama3},
            false,
            false,
            true,
            true},
    GgufPre{{"qwen2", "deepseek-r1-qwen", "megrez"}, {kQwen2}, false, true},
    GgufPre{{"deepseek-v3"},
            {"\\p{N}{1,3}", "[\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{30FF}]+", kDeepSeek3}},
    GgufPre{{"deepseek-llm"},
            {"[\\r\\n]", kDeepSeekLetters, kDeepSeekSigns, "\\s+$", kDeepSeekAsian, "\\p{N}"}},
    GgufPre{{"deepseek-coder"},
            {"[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", kDeepSeekAsian, "\\p{N}"}},
};

std::vector<std::string> words_of(const PreTokenizer& pre_tokenizer, std::string_view text) {
  std::vector<std::string> words;
  pre_tokenizer.for_each_word(text, /*at_start=*/true,
                              [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

/// Inside blocks whose characters patterns treat alike, but for their borders: ideographs, Hangul,
/// private use, and past the first plane all but the mathematical alphabets.
bool is_uniform(int32_t c) {
  const bool first_plane =
      (c > 0x4E10 && c < 0x9F00) || (c > 0xAC10 && c < 0xD700) || (c > 0xE010 && c < 0xF800);
  return first_plane || (c >= 0x10000 && !(c >= 0x1D400 && c < 0x1D800));
}

/// Texts in which families differ, and then each character before and behind letters, digits,
/// signs, spaces and lines, and in a row. Calls text() until it says false.
template <class Text>
bool for_each_probe(const Text& text) {
  for (const std::string_view plain :
       {"I'll say we'Ve 12345678 things, 1st,2nd: \"it's\" (O'Neill).",
        "if (a_b != 7)\r\n\r\n\t  x++;", "  two  spaces   \n\n \n end  ",
        "\u4e2d\u6587kana\u304b\u306a\u30ab\u30cac++ ..and!?\uff01 \u0e01\u0e33 e\u0301"}) {
    if (!text(plain)) return false;
  }
  constexpr int32_t kEnd = 0x40000, kStep = 29;
  for (int32_t c = 1; c < kEnd; ++c) {
    const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
    if (surrogate || (is_uniform(c) && c % kStep != 0)) continue;
    std::string one;
    append_character(c, one);
    const std::string all = one + "a" + one + "1" + one + " " + one + "!" + one + one + one + one +
                            "\n" + one + "  " + one + "'" + one + "s" + one;
    if (!text(all)) return false;
  }
  return true;
}

}  // namespace

const GgufPre* find_gguf_pre(std::string_view name) {
  for (const GgufPre& row : kRows) {
    if (!name.empty() && std::ranges::find(row.names, name) != row.names.end()) return &row;
  }
  return nullptr;
}

std::string known_gguf_pres() {
  std::string known;
  for (const GgufPre& row : kRows) {
    for (const std::string_view name : row.names) {
      if (!name.empty()) known += (known.empty() ? "" : ", ") + std::string(name);
    }
  }
  return known;
}

json::Value byte_level_json(bool words) {
  return json::Object{{"type", "ByteLevel"},
                      {"add_prefix_space", false},
                      {"trim_offsets", true},
                      {"use_regex", words}};
}

json::Value pre_tokenizer_json(const GgufPre& row) {
  json::Array steps;
  for (const std::string_view pattern : row.patterns) {
    if (pattern.empty()) continue;
    steps.push_back(json::Object{{"type", "Split"},
                                 {"pattern", json::Object{{"Regex", pattern}}},
                                 {"behavior", "Isolated"},
                                 {"invert", false}});
  }
  steps.push_back(byte_level_json(row.gpt2_words));
  return json::Object{{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

const GgufPre* gguf_pre_of(const PreTokenizer& words) {
  for (const GgufPre& row : kRows) {
    const PreTokenizer known = PreTokenizer::parse(pre_tokenizer_json(row), row.names[0].data());
    if (for_each_probe(
            [&](std::string_view text) { return words_of(words, text) == words_of(known, text); }))
      return &row;
  }
  return nullptr;
}

}  // namespace cupel
