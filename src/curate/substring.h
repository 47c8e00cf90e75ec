// Passages that stand word for word in an earlier document, to be cut out of the later one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/config.h"
#include "base/scratch_file.h"

namespace cupel::curate {

struct SubstringConfig {
  int64_t min_chars = 100;
  static constexpr auto fields() {
    return std::tuple{Field{"min_chars", &SubstringConfig::min_chars,
                            "fewest characters of a passage; those of scripts without spaces count "
                            "twice",
                            64, 1e9}};
  }
};

/// Bytes [begin, end) of a document, equal but for white space at their ends to those of document
/// `source` from `source_begin` on: an earlier one, or the same one further up.
struct Repeat {
  std::size_t begin = 0, end = 0;
  int64_t source = 0;
  std::size_t source_begin = 0;
  bool operator==(const Repeat&) const = default;
};

/// The hash of the 32 bytes at a place of a text.
struct Anchor {
  uint64_t hash = 0;
  uint32_t place = 0;
};

/// Finds whole sentences within passages that repeat, so that cutting out all of them leaves one
/// copy of each. Documents are numbered from 0 in the order of add(). Edges are those of
/// sentence_edges(): between code points.
///
/// Winnowing (Schleimer, Wilkerson and Aiken 2003): of the hashes of 32 bytes, each window of
/// min_chars - 31 gives its least as an anchor; a repeat of min_chars bytes, and so of as many
/// characters, shares one with its copy. Anchors that agree are extended and compared byte by byte,
/// so no pair is taken by its hash.
/// Left out: repeats that differ in case or spacing; and each anchor is compared with the first and
/// the last of its like before it alone, so of a passage that is put together from pieces of
/// several documents a piece may stay.
///
/// With min_chars = 100 about 3 % of the places are anchors: 24 bytes each on disk, or 0.7 bytes a
/// byte of text. In memory: what `memory_limit` says to sort them by hash, in as many readings of
/// the file as that takes, eight texts, and a bit a document. The result does not depend on it.
class RepeatFinder {
 public:
  RepeatFinder(const SubstringConfig& config, int64_t memory_limit,
               const std::filesystem::path& folder);

  /// Of a text; may be called from several threads.
  std::vector<Anchor> anchors(std::string_view text) const;
  /// The next document. Throws Error{resource} past 2^32 - 2 anchors.
  void add(std::span<const Anchor> anchors);

  /// Of an unchanged document.
  using Source = std::function<std::string(int64_t document)>;
  /// The repeats of a document, by place and disjoint; whether it stays, so that later ones may
  /// repeat it.
  using Take = std::function<bool(int64_t document, std::string_view text,
                                  const std::vector<Repeat>& repeats)>;

  /// take() for each document from `first` on that has repeats, ascending. poll() is called now and
  /// then; what it throws ends the search. To be called once.
  void find(int64_t first, const Source& text, const Take& take, const std::function<void()>& poll);

 private:
  class Search;
  void link_equal_hashes();

  int64_t min_chars_, sorted_anchors_;
  int64_t documents_ = 0, anchors_ = 0;
  ScratchFile stored_, links_;
};

/// `text` without these: the repeats of one document, by place and disjoint.
std::string remove_repeats(std::string_view text, std::span<const Repeat> repeats);

}  // namespace cupel::curate
