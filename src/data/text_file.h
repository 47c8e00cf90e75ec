// A .txt file as one document that is never in memory as a whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace cupel {

/// Part of a document: the first of them begins it, the last one ends it.
struct TextPart {
  std::string text;
  bool begins = true, ends = true;
};

/// Where a text that goes on may be cut: the last such place, 0 if there is none.
using CutPlace = std::function<std::size_t(std::string_view)>;

class TextFile {
 public:
  /// Reads it through, decompressed if need be and without its byte order mark. `poll`, if not
  /// empty, is called now and then and may throw. Throws as ByteStream does, and Error{data},
  /// naming the line, for what is empty, no UTF-8 or holds NUL.
  TextFile(std::filesystem::path path, std::function<void()> poll);

  int64_t bytes() const { return bytes_; }

  /// Where split_running_text() cuts a single text of which it keeps `kept` bytes.
  int64_t cut_near(int64_t kept) const;

  /// The bytes from `begin` to `end`, which are characters' beginnings, in order and in parts of
  /// about kTextPartBytes, more where `cut` finds no place; at least one, even if it is empty.
  /// Throws Error{data} for a part beyond 1 GiB.
  void for_each_part(int64_t begin, int64_t end, const CutPlace& cut,
                     const std::function<void(TextPart&&)>& take) const;

 private:
  void for_each_block(const std::function<bool(std::string_view)>& take) const;

  std::filesystem::path path_;
  std::function<void()> poll_;
  int64_t bytes_ = 0;
};

inline constexpr std::size_t kTextPartBytes = std::size_t{1} << 18;

}  // namespace cupel
