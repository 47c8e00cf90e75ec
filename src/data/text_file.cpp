#include "data/text_file.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "data/byte_stream.h"
#include "data/line_reader.h"
#include "data/utf8.h"

namespace cupel {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 18;
constexpr std::size_t kMostPartBytes = std::size_t{1} << 30;

[[noreturn]] void refuse(const std::filesystem::path& path, int64_t line, const std::string& text) {
  fail(ErrorKind::data, path.string() + ":" + std::to_string(line),
       text + " (none of the file's 1 rows can be read)",
       "correct the file, or name the right field");
}

}  // namespace

TextFile::TextFile(std::filesystem::path path, std::function<void()> poll)
    : path_(std::move(path)), poll_(std::move(poll)) {
  int64_t line = 1;
  bool has_nul = false;
  std::string text;  // what is left of a character, then a block
  const auto check = [&](std::size_t size) {
    const std::string_view part = std::string_view(text).substr(0, size);
    if (const auto bad = find_invalid_utf8(part)) {
      line += std::count(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(*bad), '\n');
      const int64_t at = bytes_ - static_cast<int64_t>(text.size() - *bad);
      refuse(path_, line, "not valid UTF-8 at byte " + std::to_string(at));
    }
    line += std::ranges::count(part, '\n');
    has_nul = has_nul || part.find('\0') != part.npos;
  };
  for_each_block([&](std::string_view block) {
    text += block;
    bytes_ += static_cast<int64_t>(block.size());
    const std::size_t whole = text.size() - unfinished_utf8_tail(text);
    check(whole);
    text.erase(0, whole);
    return true;
  });
  check(text.size());
  if (bytes_ == 0) {
    fail(ErrorKind::data, path_.string(), "file is empty", "give a file with at least one row");
  }
  if (has_nul) refuse(path_, 1, "field \"text\": holds a NUL character");
}

/// Until `take` returns false.
void TextFile::for_each_block(const std::function<bool(std::string_view)>& take) const {
  ByteStream stream(path_);
  std::string block(kBlockBytes, '\0');
  bool first = true;
  while (true) {
    if (poll_) poll_();
    std::size_t size = 0;  // a full one, so that the byte order mark is in the first
    while (size < block.size()) {
      const std::size_t got = stream.read(block.data() + size, block.size() - size);
      if (got == 0) break;
      size += got;
    }
    std::string_view text(block.data(), size);
    if (first && text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    first = false;
    if (size == 0 || !take(text)) return;
  }
}

int64_t TextFile::cut_near(int64_t kept) const {
  int64_t at = 0, line_end = -1, character = 0;
  for_each_block([&](std::string_view block) {
    const auto here = static_cast<std::size_t>(
        std::min<int64_t>(kept + 1 - at, static_cast<int64_t>(block.size())));
    const std::string_view part = block.substr(0, here);
    if (const std::size_t found = part.rfind('\n'); found != part.npos)
      line_end = at + static_cast<int64_t>(found);
    for (std::size_t i = part.size(); i-- > 0;) {
      if ((part[i] & 0xC0) == 0x80) continue;
      character = at + static_cast<int64_t>(i);
      break;
    }
    at += static_cast<int64_t>(here);
    return at <= kept;
  });
  if (line_end >= 0 && kept - line_end <= bytes_ / 100) return line_end + 1;
  return kept >= bytes_ ? kept : character;
}

void TextFile::for_each_part(int64_t begin, int64_t end, const CutPlace& cut,
                             const std::function<void(TextPart&&)>& take) const {
  std::string text;
  bool begins = true;
  int64_t at = 0;
  std::size_t wanted = kTextPartBytes;
  const auto hand_over = [&](std::size_t size, bool ends) {
    take({text.substr(0, size), begins, ends});
    begins = false;
    text.erase(0, size);
  };
  for_each_block([&](std::string_view block) {
    const int64_t from = std::clamp<int64_t>(begin - at, 0, static_cast<int64_t>(block.size()));
    const int64_t to = std::clamp<int64_t>(end - at, from, static_cast<int64_t>(block.size()));
    at += static_cast<int64_t>(block.size());
    text += block.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
    if (at >= end) return false;
    if (text.size() < wanted) return true;
    const std::size_t whole = text.size() - unfinished_utf8_tail(text);
    const std::size_t place = cut ? cut(std::string_view(text).substr(0, whole)) : 0;
    if (place > 0) hand_over(place, false);
    // Where no place is found, the next look is not taken before the text has doubled.
    wanted = std::max(kTextPartBytes, place > 0 ? 0 : 2 * text.size());
    if (text.size() > kMostPartBytes) {
      fail(ErrorKind::data, path_.string(),
           "more than " + std::to_string(kMostPartBytes >> 20) + " MiB of it are one piece",
           "split it, or give it as .jsonl, which is read row by row");
    }
    return true;
  });
  hand_over(text.size(), true);
}

}  // namespace cupel
