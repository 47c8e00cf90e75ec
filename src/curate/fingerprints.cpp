#include "curate/fingerprints.h"

#include <algorithm>

#include "base/error.h"

namespace cupel::curate {

Fingerprints::Fingerprints(int bands, int64_t block_documents, BlockStore& store)
    : bands_(bands), block_documents_(block_documents), store_(store) {
  CUPEL_ASSERT(bands >= 0 && block_documents > 0);
  keys_.resize(static_cast<std::size_t>(bands * block_documents));
}

void Fingerprints::add(const Fingerprint& document) {
  CUPEL_ASSERT(document.band_keys.size() == static_cast<std::size_t>(bands_));
  const auto at = static_cast<int64_t>(texts_.size());
  texts_.push_back(document.text);
  for (int64_t b = 0; b < bands_; ++b)
    keys_[static_cast<std::size_t>(b * block_documents_ + at)] =
        document.band_keys[static_cast<std::size_t>(b)];
  ++documents_;
  if (at + 1 == block_documents_) put_block();
}

void Fingerprints::finish() {
  if (!texts_.empty()) put_block();
  texts_ = {};
  keys_ = {};
}

void Fingerprints::put_block() {
  blocks_.push_back(store_.put(std::as_bytes(std::span(texts_))));
  for (int64_t b = 0; b < bands_; ++b) {
    const std::span<const uint64_t> keys(keys_.data() + b * block_documents_, texts_.size());
    blocks_.push_back(store_.put(std::as_bytes(keys)));
  }
  texts_.clear();
}

int64_t Fingerprints::block_size(int64_t block) const {
  return std::min(block_documents_, documents_ - block * block_documents_);
}

template <class Key>
void Fingerprints::scan(int column, const TakeKeys<Key>& take) const {
  const auto columns = static_cast<std::size_t>(bands_) + 1;
  std::vector<Key> keys;
  for (std::size_t block = 0; block < blocks_.size() / columns; ++block) {
    keys.resize(static_cast<std::size_t>(block_size(static_cast<int64_t>(block))));
    store_.read(blocks_[block * columns + static_cast<std::size_t>(column)], 0,
                std::as_writable_bytes(std::span(keys)));
    take(static_cast<int64_t>(block) * block_documents_, keys);
  }
}

void Fingerprints::drop(int column) {
  const auto columns = static_cast<std::size_t>(bands_) + 1;
  for (auto at = static_cast<std::size_t>(column); at < blocks_.size(); at += columns)
    store_.drop(blocks_[at]);
}

void Fingerprints::scan_texts(const TakeKeys<Hash128>& take) const { scan<Hash128>(0, take); }

void Fingerprints::scan_band(int band, const TakeKeys<uint64_t>& take) const {
  scan<uint64_t>(1 + band, take);
}

void Fingerprints::drop_texts() { drop(0); }
void Fingerprints::drop_band(int band) { drop(1 + band); }

}  // namespace cupel::curate
