#include "curate/buckets.h"

#include <algorithm>

#include "base/error.h"
#include "curate/grouping.h"

namespace cupel::curate {
namespace {

/// Places of all documents in one band; gives the number of buckets.
uint32_t place_band(const Fingerprints& fingerprints, int band,
                    std::span<const uint32_t> first_copy, int64_t capacity,
                    std::vector<Place>& places) {
  uint32_t buckets = 0;
  for_each_group<uint64_t>(
      [&](const auto& take) {
        fingerprints.scan_band(band, [&](int64_t first, std::span<const uint64_t> keys) {
          auto document = static_cast<uint32_t>(first);
          for (const uint64_t key : keys) {
            if (first_copy[document] == document) take(document, key);
            ++document;
          }
        });
      },
      capacity,
      [&](std::span<const KeyOf<uint64_t>> members) {
        ++buckets;
        for (const auto& member : members) places[member.document] = {buckets << 1};
        places[members.back().document].bits |= 1;
      });
  return buckets;
}

}  // namespace

Places::Places(Fingerprints& fingerprints, std::span<const uint32_t> first_copy, int64_t work_bytes,
               BlockStore& store, ThreadPool& pool, const std::function<void()>& poll)
    : store_(store) {
  const int bands = fingerprints.bands();
  const int64_t documents = fingerprints.documents(), block = fingerprints.block_documents();
  buckets_.resize(static_cast<std::size_t>(bands));
  blocks_.resize(static_cast<std::size_t>(bands));
  const int64_t labels = documents * static_cast<int64_t>(sizeof(Place));
  constexpr auto kPair = static_cast<int64_t>(sizeof(KeyOf<uint64_t>));
  const int64_t at_once = std::clamp<int64_t>(work_bytes / (labels + documents * kPair + 1), 1,
                                              std::min(bands, pool.size()));
  // A fourth of the memory where there are too many documents for it, and never so little that the
  // keys of a band would be read more than some 256 times.
  const int64_t capacity =
      std::max({work_bytes / at_once - labels, work_bytes / 4, documents * kPair / 256}) / kPair;
  for (int64_t first = 0; first < bands; first += at_once) {
    poll();
    pool.parallel_for(std::min(at_once, bands - first), 1, [&](int64_t i, int64_t) {
      const auto band = static_cast<std::size_t>(first + i);
      std::vector<Place> places(static_cast<std::size_t>(documents));
      buckets_[band] =
          place_band(fingerprints, static_cast<int>(band), first_copy, capacity, places);
      fingerprints.drop_band(static_cast<int>(band));
      for (int64_t at = 0; at < documents; at += block) {
        const std::span<const Place> part(
            places.data() + at, static_cast<std::size_t>(std::min(block, documents - at)));
        blocks_[band].push_back(store_.put(std::as_bytes(part)));
      }
    });
  }
}

void Places::read(int64_t block, std::span<Place> out) const {
  const std::size_t documents = out.size() / std::max<std::size_t>(blocks_.size(), 1);
  for (std::size_t b = 0; b < blocks_.size(); ++b)
    store_.read(blocks_[b].at(static_cast<std::size_t>(block)), 0,
                std::as_writable_bytes(out.subspan(b * documents, documents)));
}

BucketLists::BucketLists(const std::vector<uint32_t>& buckets) {
  for (const uint32_t count : buckets) heads_.emplace_back(count, kNone);
}

void BucketLists::push(int band, Place place, uint32_t document) {
  uint32_t at = free_;
  if (at == kNone) {
    CUPEL_ASSERT(members_.size() < kNone);
    at = static_cast<uint32_t>(members_.size());
    members_.emplace_back();
  } else {
    free_ = members_[at].next;
  }
  members_[at] = {document, head(band, place)};
  head(band, place) = at;
}

void BucketLists::close(int band, Place place) {
  uint32_t& first = head(band, place);
  if (first == kNone) return;
  uint32_t last = first;
  while (members_[last].next != kNone) last = members_[last].next;
  members_[last].next = free_;
  free_ = first;
  first = kNone;
}

void BucketLists::collect(int band, Place place, uint32_t from, std::vector<uint32_t>& out) const {
  uint32_t at = heads_[static_cast<std::size_t>(band)][place.bucket() - 1];
  for (; at != kNone && members_[at].document >= from; at = members_[at].next)
    out.push_back(members_[at].document);
}

int64_t BucketLists::bytes() const {
  std::size_t bytes = members_.capacity() * sizeof(Member);
  for (const auto& heads : heads_) bytes += heads.size() * sizeof(uint32_t);
  return static_cast<int64_t>(bytes);
}

}  // namespace cupel::curate
