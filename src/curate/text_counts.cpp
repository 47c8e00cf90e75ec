#include "curate/text_counts.h"

#include <array>
#include <bit>

#include "curate/hash_counts.h"
#include "data/unicode.h"

namespace cupel::curate {
namespace {

/// What the loop over words asks of a byte below 128.
enum ByteKind : uint8_t { kOther = 0, kLetter = 1, kDigit = 2, kApostrophe = 4, kBeyondAscii = 8 };

const std::array<ByteKind, 256> kByteKinds = [] {
  std::array<ByteKind, 256> kinds{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (byte >= 128) {
      kinds[byte] = kBeyondAscii;
    } else if (const CharacterClass c = class_of(byte); c == CharacterClass::letter) {
      kinds[byte] = kLetter;
    } else if (c == CharacterClass::digit) {
      kinds[byte] = kDigit;
    } else if (byte == '\'') {
      kinds[byte] = kApostrophe;
    }
  }
  return kinds;
}();

constexpr char32_t kReplacement = 0xFFFD, kEllipsis = 0x2026, kRightQuote = 0x2019;

void count_class(CharacterClass c, char32_t character, int64_t n, TextCounts& counts) {
  switch (c) {
    case CharacterClass::letter:
    case CharacterClass::mark:
      counts.letters += n;
      break;
    case CharacterClass::digit:
      counts.digits += n;
      break;
    case CharacterClass::punctuation:
      counts.punctuation += n;
      break;
    case CharacterClass::symbol:
      counts.symbols += n;
      break;
    case CharacterClass::space:
      counts.spaces += n;
      break;
    case CharacterClass::control:
      // Format characters (joiners, marks of direction) belong to the writing of many languages.
      if (character < 0xA0 || (character >= 0xE000 && character <= 0xF8FF)) counts.controls += n;
      break;
  }
}

/// All that a histogram of bytes tells of the characters below 128.
void count_ascii(std::string_view text, TextCounts& counts) {
  std::array<std::array<uint32_t, 256>, 4> seen{};  // four, so that equal neighbours do not wait
  int64_t repeated = 0;
  unsigned char before = 0;
  const auto add = [&](std::array<uint32_t, 256>& table, char c) {
    const auto byte = static_cast<unsigned char>(c);
    ++table[byte];
    repeated += (byte == before) & (byte > 0x20) & (byte < 0x80);
    before = byte;
  };
  std::size_t i = 0;
  for (; i + 4 <= text.size(); i += 4) {
    add(seen[0], text[i]);
    add(seen[1], text[i + 1]);
    add(seen[2], text[i + 2]);
    add(seen[3], text[i + 3]);
  }
  for (; i < text.size(); ++i) add(seen[0], text[i]);
  const auto total = [&](unsigned char byte) {
    return int64_t{seen[0][byte]} + seen[1][byte] + seen[2][byte] + seen[3][byte];
  };
  counts.repeated = repeated;
  for (unsigned char byte = 0; byte < 0x80; ++byte) {
    const int64_t n = total(byte);
    counts.characters += n;
    if (n > 0) count_class(class_of(byte), byte, n, counts);
  }
  counts.width = counts.characters;
  counts.hashes = total('#');
  counts.curly_brackets = total('{') + total('}');
}

void count_dots(std::string_view text, TextCounts& counts) {
  for (std::size_t at = text.find("..."); at != std::string_view::npos; at = text.find("...", at)) {
    ++counts.ellipses;
    while (at < text.size() && text[at] == '.') ++at;
  }
}

constexpr uint64_t kOnes = 0x0101010101010101, kTops = 0x80 * kOnes, kLowerCase = 0x20 * kOnes;

/// Gopher's words in a table without collisions, by their bytes in lower case with spaces behind.
class GopherWords {
 public:
  constexpr GopherWords() {
    while (!fill()) factor_ += 2;
  }
  /// Which of them begins with these bytes and has no more, as a bit, or 0. Zeros follow fewer than
  /// eight bytes.
  constexpr uint32_t bit(uint64_t bytes) const {
    const uint64_t word = bytes | kLowerCase;
    const Entry& entry = entries_[word * factor_ >> 60];
    return entry.word == word ? entry.bit : 0;
  }

 private:
  struct Entry {
    uint64_t word = 0;
    uint32_t bit = 0;
  };
  constexpr bool fill() {
    constexpr std::array<std::string_view, 8> kWords{"the", "be",   "to",   "of",
                                                     "and", "that", "have", "with"};
    entries_ = {};
    for (std::size_t i = 0; i < kWords.size(); ++i) {
      uint64_t word = kLowerCase;
      for (std::size_t at = 0; at < kWords[i].size(); ++at)
        word |= static_cast<uint64_t>(kWords[i][at]) << 8 * at;
      Entry& entry = entries_[word * factor_ >> 60];
      if (entry.bit != 0) return false;
      entry = {word, uint32_t{1} << i};
    }
    return true;
  }
  uint64_t factor_ = 0x9E3779B97F4A7C15;
  std::array<Entry, 16> entries_{};
};
constexpr GopherWords kGopherWords;

/// Of eight characters below 128 the tops of the letters' bytes, and of the digits'.
struct EightKinds {
  uint64_t letters, digits;

  explicit constexpr EightKinds(uint64_t bytes)
      : letters(between(bytes | kLowerCase, 'a', 'z') & ~bytes),
        digits(between(bytes, '0', '9') & ~bytes) {}

  /// Looks at seven bits of each byte.
  static constexpr uint64_t between(uint64_t bytes, uint64_t first, uint64_t last) {
    const uint64_t low = bytes & ~kTops;
    return (low + (0x80 - first) * kOnes) & ~(low + (0x7F - last) * kOnes) & kTops;
  }
};

/// Walks over the words as next_word() does, and over every character beyond ASCII on the way.
class WordScanner {
 public:
  WordScanner(std::string_view text, TextCounts& counts) : text_(text), counts_(counts) {}

  void scan() {
    counts_.words.reserve(text_.size() / 6 + 8);
    while (at_ < text_.size()) {
      const ByteKind kind = kind_here();
      if (kind == kLetter || kind == kDigit) {
        begin_word();
        scan_word();
      } else if (kind == kBeyondAscii) {
        const std::size_t begin = at_;
        const Seen seen = take_character();
        if (seen.alone && seen.part) {
          take_word_alone(begin, seen);
        } else if (seen.part) {
          begin_word();
          begin_ = begin;
          extra_bytes_ += at_ - begin - 1;
          has_letter_ = after_letter_ = seen.letter;
          scan_word();
        }
      } else {
        ++at_;
      }
    }
  }

 private:
  struct Seen {
    bool part, letter, alone;
  };

  ByteKind kind_here() const { return kByteKinds[static_cast<unsigned char>(text_[at_])]; }

  void begin_word() {
    begin_ = at_;
    extra_bytes_ = 0;
    has_letter_ = after_letter_ = false;
  }

  /// Counts the character beyond ASCII at at_ and moves past it.
  Seen take_character() {
    const std::size_t begin = at_;
    const char32_t character = next_character(text_, at_);
    const CharacterClass c = class_of(character);
    const bool alone = is_word_alone(character);
    ++counts_.characters;
    counts_.width += alone ? 2 : 1;
    count_class(c, character, 1, counts_);
    if (character == kReplacement) ++counts_.replacements;
    if (character == kEllipsis) ++counts_.ellipses;
    if (character == before_ && begin == before_end_ && c != CharacterClass::space)
      ++counts_.repeated;
    before_ = character;
    before_end_ = at_;
    const bool letter = c == CharacterClass::letter;
    return {letter || c == CharacterClass::mark || c == CharacterClass::digit, letter, alone};
  }

  void take_word_alone(std::size_t begin, Seen seen) {
    counts_.words.push_back({hash_bytes_at(text_, begin, at_ - begin), 1});
    ++counts_.words_alone;
    ++counts_.word_characters;
    counts_.words_with_letter += seen.letter;
  }

  /// Past letters and digits below 128, of which there is one at least, eight at a time.
  void skip_ascii_word() {
    uint64_t seen = 0;
    for (int bits = 64; bits == 64;) {
      const EightKinds kinds(low_bytes(text_, at_, text_.size() - at_));
      bits = std::countr_zero(~(kinds.letters | kinds.digits) & kTops) & ~7;
      if (bits == 0) break;
      const uint64_t letters = kinds.letters << (64 - bits);  // of the bytes that are taken
      seen |= letters;
      after_letter_ = letters >> 63 != 0;
      at_ += static_cast<std::size_t>(bits) / 8;
    }
    has_letter_ |= seen != 0;
  }

  /// From within a word to its end.
  void scan_word() {
    while (at_ < text_.size()) {
      const ByteKind kind = kind_here();
      if (kind == kLetter || kind == kDigit) {
        skip_ascii_word();
      } else if (kind == kApostrophe) {
        if (!after_letter_ || !is_letter_at(at_ + 1)) break;
        after_letter_ = false;
        ++at_;
      } else if (kind != kBeyondAscii || !scan_beyond_ascii()) {
        break;
      }
    }
    end_word();
  }

  /// Takes the character at at_ into the word, or leaves it and returns false.
  bool scan_beyond_ascii() {
    std::size_t after = at_;
    const char32_t character = next_character(text_, after);
    if (character == kRightQuote) {
      if (!after_letter_ || !is_letter_at(after)) return false;
    } else if (is_word_alone(character) || !is_part(class_of(character))) {
      return false;
    }
    extra_bytes_ += after - at_ - 1;
    after_letter_ = take_character().letter;
    has_letter_ |= after_letter_;
    return true;
  }

  static bool is_part(CharacterClass c) {
    return c == CharacterClass::letter || c == CharacterClass::mark || c == CharacterClass::digit;
  }

  bool is_letter_at(std::size_t at) const {
    if (at >= text_.size()) return false;
    const char32_t next = next_character(text_, at);
    return class_of(next) == CharacterClass::letter && !is_word_alone(next);
  }

  void end_word() {
    const std::size_t size = at_ - begin_;
    const auto characters = static_cast<uint32_t>(size - extra_bytes_);
    counts_.words.push_back({hash_bytes_at(text_, begin_, size), characters});
    counts_.word_characters += characters;
    counts_.words_with_letter += has_letter_;
    counts_.gopher_stop_words |= kGopherWords.bit(low_bytes(text_, begin_, size));
  }

  std::string_view text_;
  TextCounts& counts_;
  std::size_t at_ = 0, begin_ = 0;
  std::size_t extra_bytes_ = 0;  // of the word: bytes beyond one a character
  bool has_letter_ = false, after_letter_ = false;
  char32_t before_ = 0;  // the last character beyond ASCII, and where it ended
  std::size_t before_end_ = 0;
};

}  // namespace

TextCounts count_text(std::string_view text) {
  TextCounts counts;
  count_ascii(text, counts);
  count_dots(text, counts);
  WordScanner(text, counts).scan();
  return counts;
}

int64_t text_width(std::string_view text) {
  int64_t width = 0;
  for (std::size_t at = 0; at < text.size(); ++width)
    width += is_word_alone(next_character(text, at));
  return width;
}

}  // namespace cupel::curate
