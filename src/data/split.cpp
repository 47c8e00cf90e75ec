#include "data/split.h"

#include <cmath>
#include <cstddef>
#include <utility>

#include "base/rng.h"

namespace cupel {
namespace {

/// Where a single text is cut: after the last line that ends up to 1 % of the text before `kept`,
/// else before the character that byte `kept` is part of.
std::size_t cut_near(std::string_view text, std::size_t kept) {
  const std::size_t line_end = text.rfind('\n', kept);
  if (line_end != std::string_view::npos && kept - line_end <= text.size() / 100)
    return line_end + 1;
  while (kept > 0 && kept < text.size() && (text[kept] & 0xC0) == 0x80) --kept;
  return kept;
}

}  // namespace

TextSplit split_running_text(std::vector<std::string> documents, double share) {
  TextSplit split;
  std::size_t total = 0;
  for (const std::string& document : documents) total += document.size();
  const auto kept =
      static_cast<std::size_t>(std::llround((1 - share) * static_cast<double>(total)));
  if (documents.size() == 1 && share > 0) {
    const std::string& whole = documents[0];
    const std::size_t cut = cut_near(whole, kept);
    split.held_out.push_back(whole.substr(cut));
    split.kept.push_back(whole.substr(0, cut));
    return split;
  }
  std::size_t read = 0;
  for (std::string& document : documents) {
    read += document.size();
    (share == 0 || read <= kept ? split.kept : split.held_out).push_back(std::move(document));
  }
  return split;
}

bool is_held_out(std::string_view context, std::string_view target, double share) {
  const std::string row = std::string(context) + '\0' + std::string(target);
  return static_cast<double>(hash64(row) >> 11) * 0x1p-53 < share;
}

}  // namespace cupel
