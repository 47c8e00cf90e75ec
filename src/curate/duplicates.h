// Exact and near duplicates: which documents to drop, and for which kept one each.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/parallel.h"
#include "base/spill.h"
#include "curate/fingerprints.h"
#include "curate/minhash.h"
#include "curate/shingles.h"
#include "curate/substring.h"

namespace cupel::curate {

struct NearConfig {
  double jaccard = 0.7;
  int64_t ngram = 5;
  NgramUnit ngram_unit = NgramUnit::char_;
  int64_t bands = 25;
  int64_t rows = 5;
  static constexpr auto fields() {
    using C = NearConfig;
    return std::tuple{
        Field{"jaccard", &C::jaccard, "similarity from which a document is a near duplicate", 0.01,
              1},
        Field{"ngram", &C::ngram, "units an n-gram", 1, 100},
        Field{"ngram_unit", &C::ngram_unit, "what an n-gram is made of"},
        Field{"bands", &C::bands, "bands of the MinHash signature; more find more pairs", 1, 1000},
        Field{"rows", &C::rows, "permutations a band; fewer find more pairs", 1, 100}};
  }
};

struct DedupConfig {
  bool exact = true;
  std::optional<NearConfig> near = NearConfig{};
  std::optional<SubstringConfig> substring = {};
  static constexpr auto fields() {
    using C = DedupConfig;
    return std::tuple{
        Field{"exact", &C::exact, "drop documents whose normal form is that of an earlier one"},
        Field{"near", &C::near, "drop documents whose n-grams are nearly those of an earlier one"},
        Field{"substring", &C::substring,
              "cut sentences that stand word for word in an earlier document; null = none"}};
  }
};

/// Normal form of a document, to be compared again; may read from disk, called from several
/// threads.
using TextSource = std::function<std::string(int64_t document)>;

struct Duplicate {
  int64_t document, kept;
  double similarity;  // exact Jaccard similarity of their n-grams; 1 for a copy
  bool exact;         // a copy of the kept document, and DedupConfig::exact is set
  bool operator==(const Duplicate&) const = default;
};

/// Documents are numbered from 0 in the order of add(), which is the order of decisions: one is
/// dropped if an earlier kept one has the same normal form, or shares a band with it and has a
/// Jaccard similarity of `jaccard` or more (computed exactly: a band only proposes). Where several
/// are as similar, the first counts. Dropped documents drop nobody, so there are no chains; a copy
/// of a dropped document shares its fate. The result depends neither on the memory limit nor on the
/// number of threads.
///
/// Memory: what `memory_limit` says for fingerprints, sorting, buckets and shingle sets; what does
/// not fit is read again, from a temporary file or from the TextSource. Beside it stand 8 bytes a
/// document and 16 a near duplicate. Where documents resemble one another so much that the lists of
/// buckets (4 bytes a bucket, 8 a kept document in it) leave nothing, they too pass the limit.
/// Comparisons: each document with the kept ones of its buckets, however many these are.
class DuplicateFinder {
 public:
  DuplicateFinder(const DedupConfig& config, int64_t memory_limit, std::filesystem::path folder,
                  ThreadPool& pool);

  /// Of a normal form; may be called from several threads.
  Fingerprint fingerprint(std::string_view text) const;

  /// Documents of an earlier kept corpus come first: they are kept, whatever they resemble.
  void add_reference(const Fingerprint& document);
  /// Throws Error{resource} past 2^32 - 2 documents.
  void add(const Fingerprint& document);

  /// take(duplicate) for each dropped document, ascending. poll() is called now and then on this
  /// thread; what it throws ends the search. To be called once.
  void find(const TextSource& text, const std::function<void(const Duplicate&)>& take,
            const std::function<void()>& poll);

  int64_t spilled_bytes() const { return store_.spilled_bytes(); }

 private:
  std::vector<uint32_t> first_copies() const;

  DedupConfig config_;
  std::optional<MinHash> minhash_;
  int64_t work_bytes_, references_ = 0;
  BlockStore store_;
  Fingerprints fingerprints_;
  ThreadPool& pool_;
};

}  // namespace cupel::curate
