#include "data/tokenizer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cstdint>

#include "base/error.h"

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

/// PCRE2's \s has U+180E, Oniguruma's has not; both know the property.
std::string name_white_space(std::string_view pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '\\' || i + 1 == pattern.size()) {
      out += pattern[i];
      continue;
    }
    const char escaped = pattern[++i];
    if (escaped == 's') {
      out += "\\p{White_Space}";
    } else if (escaped == 'S') {
      out += "\\P{White_Space}";
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

Regex::Regex(std::string_view pattern, std::string where)
    : Regex(name_white_space(pattern), PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C,
            std::move(where)) {}

Regex Regex::literal(std::string_view text, std::string where) {
  return Regex(text, PCRE2_LITERAL, std::move(where));
}

Regex::Regex(std::string_view pattern, unsigned options, std::string where)
    : where_(std::move(where)) {
  if (pattern.size() > kMaxPatternBytes) {
    fail(ErrorKind::data, where_, "pattern longer than 64 KiB", "simplify the pattern");
  }
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto code = std::make_shared<Code>();
  code->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                 options | PCRE2_UTF, &error, &offset, nullptr));
  if (code->code == nullptr) {
    fail(ErrorKind::data, where_,
         "pattern does not compile at byte " + std::to_string(offset) + ": " + message_of(error),
         "correct the pattern");
  }
  code->jit = pcre2_jit_compile(code->code.get(), PCRE2_JIT_COMPLETE) == 0;
  code_ = std::move(code);
}

std::optional<Regex::Match> Regex::find(std::string_view text, std::size_t from) const {
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
  return Match{range[0], std::max(range[0], range[1])};
}

}  // namespace cupel
