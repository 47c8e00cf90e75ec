// What is held out of a data set: one rule for training and evaluation, so that the two never
// overlap.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cupel {

/// Running text in order, in two parts.
struct TextSplit {
  std::vector<std::string> kept, held_out;
};

/// Holds out the last `share` of the bytes, at a document's beginning; a single document is cut
/// after a line, or where none ends nearby, between two characters. share 0 keeps everything.
TextSplit split_running_text(std::vector<std::string> documents, double share);

/// Whether a row belongs to the `share` that is held out: by its hash, so it never changes sides
/// when others are added. `context` is what is read, `target` what is learned.
bool is_held_out(std::string_view context, std::string_view target, double share);

}  // namespace cupel
