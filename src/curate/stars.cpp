#include "curate/stars.h"

#include <algorithm>

namespace cupel::curate {
namespace {

constexpr std::size_t kMostContenders = 1024;  // a batch
constexpr std::size_t kMostPairs = 1 << 16;    // compared at once
constexpr int64_t kPairsAChunk = 32;

}  // namespace

Stars::Stars(const StarRules& rules, const std::vector<uint32_t>& buckets, int64_t bytes,
             const std::function<std::string(int64_t)>& text, ThreadPool& pool,
             const std::function<void()>& poll)
    : rules_(rules),
      bands_(buckets.size()),
      bytes_(bytes),
      text_(text),
      pool_(pool),
      poll_(poll),
      lists_(buckets) {}

void Stars::decide(uint32_t first, std::span<const Place> places, std::span<uint32_t> kept,
                   std::vector<NearDrop>& drops) {
  first_ = first;
  documents_ = kept.size();
  places_ = places;
  contenders_.clear();
  for (std::size_t i = 0; i < documents_; ++i) {
    const uint32_t document = first + static_cast<uint32_t>(i);
    bool shares = false;
    for (std::size_t b = 0; b < bands_; ++b) shares |= place(b, document).shared();
    if (shares && kept[i] == document) contenders_.push_back({document});
  }
  for (std::size_t begin = 0, end; begin < contenders_.size(); begin = end) {
    cache_.set_generation_bytes(std::max<int64_t>(0, bytes_ - lists_.bytes()) / 4);
    build_sets(begin, end);
    compare_with_kept(begin, end);
    resolve(begin, end);
  }
  for (const Contender& each : contenders_) {
    if (each.similarity == 0) continue;
    kept[each.document - first] = each.kept;
    drops.push_back({each.document, each.kept, each.similarity});
  }
}

SetCache::Set Stars::set_of(uint32_t document) const {
  return shingles(text_(document), rules_.ngram, rules_.unit);
}

/// Sets `end` of the batch: where it is long enough, or its sets fill a fourth of the memory. As
/// many are built at once as there is likely to be room for, going by those before.
void Stars::build_sets(std::size_t begin, std::size_t& end) {
  const int64_t threads = pool_.size();
  int64_t bytes = 0;
  for (end = begin; end < contenders_.size() && end - begin < kMostContenders &&
                    (end == begin || bytes < cache_.generation_bytes());) {
    const std::size_t from = end;
    const int64_t room = (cache_.generation_bytes() - bytes) * static_cast<int64_t>(end - begin);
    const int64_t group = std::clamp(room / std::max<int64_t>(bytes, 1), threads, 8 * threads);
    end = std::min(contenders_.size(), from + static_cast<std::size_t>(group));
    pool_.parallel_for(static_cast<int64_t>(end - from), 1, [&](int64_t i, int64_t stop) {
      for (; i < stop; ++i) {
        Contender& each = contenders_[from + static_cast<std::size_t>(i)];
        each.set = set_of(each.document);
      }
    });
    for (std::size_t i = from; i < end; ++i) bytes += SetCache::bytes_of(contenders_[i].set);
  }
}

/// Ascending: the kept documents, from `from` on, that share a bucket.
const std::vector<uint32_t>& Stars::candidates(uint32_t document, uint32_t from) {
  candidates_.clear();
  for (std::size_t b = 0; b < bands_; ++b) {
    const Place here = place(b, document);
    if (here.shared()) lists_.collect(static_cast<int>(b), here, from, candidates_);
  }
  std::sort(candidates_.begin(), candidates_.end());
  candidates_.erase(std::unique(candidates_.begin(), candidates_.end()), candidates_.end());
  return candidates_;
}

void Stars::offer(Contender& contender, uint32_t kept, double similarity) {
  const bool better = similarity > contender.similarity ||
                      (similarity == contender.similarity && kept < contender.kept);
  if (similarity == 0 || !better) return;
  contender.kept = kept;
  contender.similarity = similarity;
}

void Stars::compare_with_kept(std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    if (contenders_[i].document < rules_.references) continue;
    for (const uint32_t kept : candidates(contenders_[i].document, 0))
      pairs_.push_back({kept, static_cast<uint32_t>(i), 0});
    if (pairs_.size() >= kMostPairs) compare_pairs();
  }
  compare_pairs();
}

/// Pairs of one kept document stand together, so that its set is had once.
void Stars::compare_pairs() {
  poll_();
  std::sort(pairs_.begin(), pairs_.end(), [](const Pair& a, const Pair& b) {
    return a.kept != b.kept ? a.kept < b.kept : a.contender < b.contender;
  });
  std::vector<std::vector<std::pair<uint32_t, SetCache::Set>>> built(pairs_.size() / kPairsAChunk +
                                                                     1);
  std::atomic<int64_t> room = cache_.generation_bytes();
  pool_.parallel_for(static_cast<int64_t>(pairs_.size()), kPairsAChunk,
                     [&](int64_t from, int64_t to) {
                       compare_chunk(std::span(pairs_).subspan(static_cast<std::size_t>(from),
                                                               static_cast<std::size_t>(to - from)),
                                     built[static_cast<std::size_t>(from / kPairsAChunk)], room);
                     });
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    offer(contenders_[pairs_[i].contender], pairs_[i].kept, pairs_[i].similarity);
    if (i == 0 || pairs_[i].kept != pairs_[i - 1].kept) cache_.renew(pairs_[i].kept);
  }
  for (auto& chunk : built)
    for (auto& [document, set] : chunk) cache_.put(document, std::move(set));
  pairs_.clear();
}

void Stars::compare_chunk(std::span<Pair> pairs,
                          std::vector<std::pair<uint32_t, SetCache::Set>>& built,
                          std::atomic<int64_t>& room) const {
  SetCache::Set made;
  const auto keep = [&](uint32_t document) {
    const int64_t bytes = SetCache::bytes_of(made);
    if (!made.empty() && room.fetch_sub(bytes) >= bytes)
      built.emplace_back(document, std::move(made));
    made.clear();
  };
  const SetCache::Set* set = nullptr;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i == 0 || pairs[i].kept != pairs[i - 1].kept) {
      if (i > 0) keep(pairs[i - 1].kept);
      set = cache_.find(pairs[i].kept);
      if (set == nullptr) {
        made = set_of(pairs[i].kept);
        set = &made;
      }
    }
    pairs[i].similarity =
        jaccard_if_at_least(*set, contenders_[pairs[i].contender].set, rules_.jaccard);
  }
  keep(pairs.back().kept);
}

/// The batch against what is kept of itself, then its sets to the cache.
void Stars::resolve(std::size_t begin, std::size_t end) {
  const auto of = [&](uint32_t document) {
    return std::lower_bound(
        contenders_.begin() + static_cast<std::ptrdiff_t>(begin),
        contenders_.begin() + static_cast<std::ptrdiff_t>(end), document,
        [](const Contender& c, uint32_t wanted) { return c.document < wanted; });
  };
  const uint32_t from = contenders_[begin].document;
  for (std::size_t i = begin; i < end; ++i) {
    Contender& each = contenders_[i];
    if (each.document >= rules_.references) {
      for (const uint32_t kept : candidates(each.document, from))
        offer(each, kept, jaccard_if_at_least(of(kept)->set, each.set, rules_.jaccard));
    }
    settle(each);
  }
  for (std::size_t i = begin; i < end; ++i) {
    if (contenders_[i].similarity == 0)
      cache_.put(contenders_[i].document, std::move(contenders_[i].set));
    contenders_[i].set = {};
  }
}

/// A kept document enters its buckets; a bucket whose last member has passed is closed.
void Stars::settle(const Contender& contender) {
  for (std::size_t b = 0; b < bands_; ++b) {
    const Place here = place(b, contender.document);
    if (!here.shared()) continue;
    if (here.last()) {
      lists_.close(static_cast<int>(b), here);
    } else if (contender.similarity == 0) {
      lists_.push(static_cast<int>(b), here, contender.document);
    }
  }
}

}  // namespace cupel::curate
