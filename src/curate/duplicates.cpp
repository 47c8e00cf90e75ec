#include "curate/duplicates.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "curate/buckets.h"
#include "curate/grouping.h"
#include "curate/stars.h"

namespace cupel::curate {
namespace {

constexpr int64_t kMostDocuments = (INT64_C(1) << 32) - 2;

int band_count(const DedupConfig& config) {
  return config.near ? static_cast<int>(config.near->bands) : 0;
}

/// Documents whose fingerprints fill a sixteenth of the memory, within reason.
int64_t block_documents(const DedupConfig& config, int64_t memory_limit) {
  const int64_t bytes = 16 + 8 * band_count(config);
  return std::clamp<int64_t>(memory_limit / 16 / bytes, 64, 1 << 14);
}

/// Near duplicates and copies of one block as duplicates, ascending. On entry `kept` of a copy is
/// the first one's number, on return that of the kept document.
std::vector<Duplicate> duplicates_of_block(const std::vector<uint32_t>& copies,
                                           const std::vector<NearDrop>& drops, std::size_t fresh,
                                           std::vector<uint32_t>& kept, bool exact) {
  std::vector<Duplicate> found;
  for (const NearDrop& drop : std::span(drops).subspan(fresh))
    found.push_back({drop.document, drop.kept, drop.similarity, false});
  for (const uint32_t copy : copies) {
    const uint32_t original = kept[copy];
    kept[copy] = kept[original];
    if (kept[original] == original) {
      found.push_back({copy, original, 1, exact});
      continue;
    }
    const auto drop = std::lower_bound(
        drops.begin(), drops.end(), original,
        [](const NearDrop& each, uint32_t document) { return each.document < document; });
    found.push_back({copy, drop->kept, drop->similarity, false});
  }
  std::sort(found.begin(), found.end(),
            [](const Duplicate& a, const Duplicate& b) { return a.document < b.document; });
  return found;
}

}  // namespace

DuplicateFinder::DuplicateFinder(const DedupConfig& config, int64_t memory_limit,
                                 std::filesystem::path folder, ThreadPool& pool)
    : config_(config),
      work_bytes_(memory_limit / 2),
      store_(memory_limit - memory_limit / 2, std::move(folder)),
      fingerprints_(band_count(config), block_documents(config, memory_limit), store_),
      pool_(pool) {
  if (config.near)
    minhash_.emplace(static_cast<int>(config.near->bands), static_cast<int>(config.near->rows));
}

Fingerprint DuplicateFinder::fingerprint(std::string_view text) const {
  Fingerprint made{hash128(text), {}};
  if (config_.near) {
    made.band_keys.resize(static_cast<std::size_t>(minhash_->bands()));
    const auto ngram = static_cast<int>(config_.near->ngram);
    minhash_->band_keys(shingles(text, ngram, config_.near->ngram_unit), made.band_keys);
  }
  return made;
}

void DuplicateFinder::add_reference(const Fingerprint& document) {
  CUPEL_ASSERT(references_ == fingerprints_.documents());
  add(document);
  ++references_;
}

void DuplicateFinder::add(const Fingerprint& document) {
  if (fingerprints_.documents() == kMostDocuments) {
    fail(ErrorKind::resource, "[duplicates]",
         "more than " + std::to_string(kMostDocuments) + " documents",
         "take them in parts, each against what was kept of those before");
  }
  fingerprints_.add(document);
}

/// For each document its number, or that of the first with the same text.
std::vector<uint32_t> DuplicateFinder::first_copies() const {
  std::vector<uint32_t> first(static_cast<std::size_t>(fingerprints_.documents()));
  std::iota(first.begin(), first.end(), 0u);
  const int64_t capacity = work_bytes_ / static_cast<int64_t>(sizeof(KeyOf<Hash128>));
  for_each_group<Hash128>(
      [&](const auto& take) {
        fingerprints_.scan_texts([&](int64_t begin, std::span<const Hash128> texts) {
          auto document = static_cast<uint32_t>(begin);
          for (const Hash128& text : texts) take(document++, text);
        });
      },
      capacity,
      [&](std::span<const KeyOf<Hash128>> copies) {
        for (const auto& copy : copies) first[copy.document] = copies.front().document;
      });
  return first;
}

void DuplicateFinder::find(const TextSource& text,
                           const std::function<void(const Duplicate&)>& take,
                           const std::function<void()>& poll) {
  fingerprints_.finish();
  if (!config_.exact && !config_.near) return;
  poll();
  std::vector<uint32_t> kept = first_copies();
  fingerprints_.drop_texts();
  std::optional<Places> places;
  std::optional<Stars> stars;
  if (config_.near) {
    places.emplace(fingerprints_, kept, work_bytes_, store_, pool_, poll);
    const StarRules rules{config_.near->jaccard, static_cast<int>(config_.near->ngram),
                          config_.near->ngram_unit, static_cast<uint32_t>(references_)};
    stars.emplace(rules, places->buckets(), work_bytes_, text, pool_, poll);
  }
  const int64_t block = fingerprints_.block_documents(), documents = fingerprints_.documents();
  std::vector<Place> block_places(static_cast<std::size_t>(block * fingerprints_.bands()));
  std::vector<NearDrop> drops;
  std::vector<uint32_t> copies;
  for (int64_t begin = 0; begin < documents; begin += block) {
    poll();
    const int64_t size = std::min(block, documents - begin);
    copies.clear();
    for (int64_t i = begin; i < begin + size; ++i)
      if (kept[static_cast<std::size_t>(i)] != i) copies.push_back(static_cast<uint32_t>(i));
    const std::size_t fresh = drops.size();
    if (stars) {
      block_places.resize(static_cast<std::size_t>(size * fingerprints_.bands()));
      places->read(begin / block, block_places);
      stars->decide(
          static_cast<uint32_t>(begin), block_places,
          std::span(kept).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(size)),
          drops);
    }
    for (const Duplicate& each : duplicates_of_block(copies, drops, fresh, kept, config_.exact))
      if (each.document >= references_) take(each);
  }
}

}  // namespace cupel::curate
