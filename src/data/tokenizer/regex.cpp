#include "data/tokenizer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cstdint>

#include "base/error.h"
#include "data/tokenizer/unicode_classes.h"

namespace cupel {

namespace {

constexpr std::size_t kMaxPatternBytes = 1 << 16;
constexpr uint32_t kBaseSteps = 100'000;
constexpr uint32_t kHeapKilobytes = 64 << 10;  // of the interpreter, where the JIT's stack ends
constexpr std::size_t kJitStackBytes = std::size_t{1} << 20;

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

/// What one thread needs to match, whatever the pattern.
struct Matcher {
  std::unique_ptr<pcre2_match_data, Freer<pcre2_match_data_free>> data{
      pcre2_match_data_create(1, nullptr)};
  std::unique_ptr<pcre2_match_context, Freer<pcre2_match_context_free>> context{
      pcre2_match_context_create(nullptr)};
  std::unique_ptr<pcre2_jit_stack, Freer<pcre2_jit_stack_free>> stack{
      pcre2_jit_stack_create(1 << 15, kJitStackBytes, nullptr)};

  Matcher() {
    if (data == nullptr || context == nullptr || stack == nullptr) {
      fail(ErrorKind::resource, "[data.tokenizer]", "no memory to match a pattern");
    }
    pcre2_set_heap_limit(context.get(), kHeapKilobytes);
    pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
  }
};

std::string message_of(int error) {
  PCRE2_UCHAR text[160];
  pcre2_get_error_message(error, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

/// \w of Oniguruma within brackets: it has marks, and of numbers that are no digits only those of
/// Latin-1.
std::string word_characters() {
  std::string members =
      "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}\\x{24b6}-\\x{24e9}"
      "\\x{1f130}-\\x{1f149}\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}";
  for (const char* category : {"L", "M", "Nd", "Nl", "Pc"}) members += later_characters(category);
  return members;
}

/// \p{category}, or \P{…}, with the characters that PCRE2 lacks.
std::string property(std::string_view category, bool negated, bool brackets) {
  const std::string later = later_characters(category);
  std::string members = "\\p{" + std::string(category) + "}";
  if (negated && (brackets || later.empty())) return "\\P{" + std::string(category) + "}";
  members += later;
  if (brackets || later.empty()) return members;
  return (negated ? "[^" : "[") + members + ']';
}

/// The pattern in PCRE2's words. Its \s has U+180E, Oniguruma's has not; both know the property.
/// Its properties end with Unicode 14, so later characters are added to them. Left out: \P{…} and
/// \W within brackets, from which they would have to be taken away.
std::string translate(std::string_view pattern) {
  std::string out;
  bool brackets = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '[' || c == ']') brackets = c == '[';
    if (c != '\\' || i + 1 == pattern.size()) {
      out += c;
      continue;
    }
    const char escaped = pattern[++i];
    const std::string_view rest = pattern.substr(i + 1);
    const std::size_t close = rest.find('}');
    if (escaped == 's' || escaped == 'S') {
      out += escaped == 's' ? "\\p{White_Space}" : "\\P{White_Space}";
    } else if (escaped == 'd') {
      out += property("Nd", false, brackets);
    } else if (escaped == 'w' || (escaped == 'W' && !brackets)) {
      out += brackets ? word_characters() : (escaped == 'W' ? "[^" : "[") + word_characters() + ']';
    } else if ((escaped == 'p' || escaped == 'P') && rest.starts_with('{') && close <= 3) {
      out += property(rest.substr(1, close - 1), escaped == 'P', brackets);
      i += close + 1;
    } else {
      out += {'\\', escaped};
    }
  }
  return out;
}

}  // namespace

struct Regex::Code {
  std::unique_ptr<pcre2_code, Freer<pcre2_code_free>> code;
  bool jit = false;
};

Regex Regex::literal(std::string_view text, std::string where) {
  Regex regex;
  regex.literal_ = std::make_shared<const std::string>(text);
  regex.where_ = std::move(where);
  return regex;
}

Regex::Regex(std::string_view pattern, std::string where)
    : scan_(find_scan(pattern)), where_(std::move(where)) {
  constexpr uint32_t kOptions = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  if (pattern.size() > kMaxPatternBytes) {
    fail(ErrorKind::data, where_, "pattern longer than 64 KiB", "simplify the pattern");
  }
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto code = std::make_shared<Code>();
  const std::string translated = translate(pattern);
  code->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                 kOptions, &error, &offset, nullptr));
  if (code->code == nullptr) {
    fail(ErrorKind::data, where_,
         "pattern does not compile at byte " + std::to_string(offset) + ": " + message_of(error),
         "correct the pattern");
  }
  code->jit = pcre2_jit_compile(code->code.get(), PCRE2_JIT_COMPLETE) == 0;
  code_ = std::move(code);
}

std::optional<Span> Regex::find(std::string_view text, std::size_t from) const {
  if (scan_ != nullptr) return scan_(text, from);
  if (code_ == nullptr) {
    const std::size_t at = text.find(*literal_, from);
    return at == text.npos ? std::nullopt : std::optional(Span{at, at + literal_->size()});
  }
  thread_local Matcher matcher;
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  const std::size_t steps = kBaseSteps + 4 * std::min<std::size_t>(text.size(), UINT32_MAX / 8);
  pcre2_set_match_limit(matcher.context.get(), static_cast<uint32_t>(steps));
  int result = PCRE2_ERROR_JIT_STACKLIMIT;
  if (code_->jit) {
    result = pcre2_jit_match(code_->code.get(), subject, text.size(), from, 0, matcher.data.get(),
                             matcher.context.get());
  }
  if (result == PCRE2_ERROR_JIT_STACKLIMIT) {
    result =
        pcre2_match(code_->code.get(), subject, text.size(), from,
                    PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, matcher.data.get(), matcher.context.get());
  }
  if (result == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (result < 0) {
    fail(ErrorKind::data, where_, "matching was given up: " + message_of(result),
         "simplify the pattern");
  }
  const PCRE2_SIZE* range = pcre2_get_ovector_pointer(matcher.data.get());
  return Span{range[0], std::max(range[0], range[1])};
}

Regex parse_pattern(const json::Value& value, const std::string& where) {
  if (const json::Value* regex = value.find("Regex")) return Regex(regex->as_string(where), where);
  return Regex::literal(value.at("String", where).as_string(where), where);
}

std::size_t most_bytes(std::size_t size) { return 16 * size + 4096; }

void check_growth(std::size_t size, std::size_t most) {
  if (size <= most) return;
  fail(ErrorKind::data, "[data.tokenizer]", "replacements make a text more than 16 times as long",
       "correct the normalizer or decoder of the tokenizer.json");
}

std::string replace_all(const Regex& regex, std::string_view content, std::string_view text,
                        std::size_t most) {
  std::string out;
  for_each_piece(regex, text, [&](std::string_view piece, bool is_match) {
    out += is_match ? content : piece;
    check_growth(out.size(), most);
  });
  return out;
}

}  // namespace cupel
