// The patterns of the well-known tokenizers, each as a loop over characters.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace cupel {

struct Span {
  std::size_t begin, end;
};

/// The first match at or after `from` in `text`, which is valid UTF-8.
using Scan = std::optional<Span> (*)(std::string_view text, std::size_t from);

/// What matches as `pattern` does, or null: the words of GPT-2, Llama 3 and Qwen, and the three
/// patterns of DeepSeek-V3.
Scan find_scan(std::string_view pattern);

/// GPT-2's pattern, which ByteLevel uses unless told otherwise.
extern const std::string_view kGpt2Pattern;

}  // namespace cupel
