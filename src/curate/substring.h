// Passages that stand word for word in an earlier document, to be cut out of the later one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.h"

namespace cupel::curate {

/// Bytes [begin, end) of document `document`, equal to those of `source` from `source_begin` on.
/// The source is an earlier document, or the same one further up.
struct Repeat {
  uint32_t document = 0;
  std::size_t begin = 0, end = 0;
  uint32_t source = 0;
  std::size_t source_begin = 0;
  bool operator==(const Repeat&) const = default;
};

/// Whole sentences within passages of at least `min_bytes` (64 or more) that repeat, by document
/// and place, disjoint. Since each stands at an earlier place too, cutting out all of them leaves
/// one copy of every passage. Edges are those of sentence_edges(): between code points.
///
/// Winnowing (Schleimer, Wilkerson and Aiken 2003): of the hashes of 32 bytes, each window of
/// min_bytes - 31 gives its least as an anchor; a repeat of min_bytes shares one with its copy.
/// Anchors that agree are extended and compared byte by byte, so no pair is taken by its hash.
/// 16 bytes an anchor; with min_bytes = 100 about 3 % of the places are one.
/// Left out: repeats that differ in case or spacing; and each anchor is compared with the first and
/// the last of its like before it alone, so of a passage that is put together from pieces of
/// several documents a piece may stay.
/// Linear in the text but for the sort of the anchors. The result does not depend on the pool.
std::vector<Repeat> find_repeats(std::span<const std::string_view> documents, int64_t min_bytes,
                                 ThreadPool& pool);

/// `text` without these: the repeats of one document, as find_repeats() gives them.
std::string remove_repeats(std::string_view text, std::span<const Repeat> repeats);

}  // namespace cupel::curate
