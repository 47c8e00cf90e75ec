#include "curate/substring.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "curate/sentences.h"

namespace cupel::curate {
namespace {

constexpr std::size_t kGram = 32;        // bytes that an anchor is the hash of
constexpr std::size_t kLeastBytes = 64;  // shorter ones would make most places anchors
constexpr uint64_t kBase = UINT64_C(0x9E3779B97F4A7C15);

struct Anchor {
  uint64_t hash;
  uint32_t document, place;
};

/// The k-grams' hashes from left to right: a polynomial modulo 2^64, then mixed, since its low bits
/// depend on the low bits of the bytes alone.
class RollingHash {
 public:
  explicit RollingHash(std::string_view text) : text_(text) {
    for (std::size_t i = 0; i < kGram; ++i) leaving_ *= i == 0 ? 1 : kBase;
    for (std::size_t i = 0; i < kGram; ++i) sum_ = sum_ * kBase + byte(i);
  }
  uint64_t value() const {
    const uint64_t mixed = (sum_ ^ sum_ >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return mixed ^ mixed >> 32;
  }
  void move() {
    sum_ = (sum_ - byte(place_) * leaving_) * kBase + byte(place_ + kGram);
    ++place_;
  }

 private:
  uint64_t byte(std::size_t i) const { return static_cast<unsigned char>(text_[i]) + uint64_t{1}; }

  std::string_view text_;
  uint64_t leaving_ = 1, sum_ = 0;
  std::size_t place_ = 0;
};

/// The least hash of every window, of equal ones the rightmost; each place once.
void append_anchors(std::string_view text, uint32_t document, std::size_t window,
                    std::vector<Anchor>& anchors) {
  if (text.size() < kGram + window - 1) return;
  struct Hashed {
    uint64_t hash;
    std::size_t place;
  };
  // A queue of growing hashes: a later, smaller one makes those before it useless. Its head is kept
  // by index; what lies before it is dropped when the queue empties or grows long.
  std::vector<Hashed> queue;
  std::size_t head = 0;
  RollingHash rolling(text);
  for (std::size_t place = 0; place + kGram <= text.size(); ++place) {
    if (place > 0) rolling.move();
    const uint64_t hash = rolling.value();
    while (queue.size() > head && queue.back().hash >= hash) queue.pop_back();
    queue.push_back({hash, place});
    if (place + 1 < window) continue;
    while (queue[head].place + window <= place) ++head;
    const auto least = static_cast<uint32_t>(queue[head].place);
    const bool taken =
        !anchors.empty() && anchors.back().document == document && anchors.back().place == least;
    if (!taken) anchors.push_back({queue[head].hash, document, least});
    if (head > 2 * window) {
      queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(head));
      head = 0;
    }
  }
}

struct Place {
  uint32_t document, at;
  auto operator<=>(const Place&) const = default;
};

/// A place to look at, and the first and the last place before it with the same hash.
struct Candidate {
  Place here, first, last;
};

std::vector<Candidate> candidates_of(std::vector<Anchor> anchors) {
  const auto key = [](const Anchor& a) { return std::tuple(a.hash, a.document, a.place); };
  std::sort(anchors.begin(), anchors.end(),
            [&](const Anchor& a, const Anchor& b) { return key(a) < key(b); });
  const auto place_of = [](const Anchor& a) { return Place{a.document, a.place}; };
  std::vector<Candidate> candidates;
  std::size_t first = 0;
  for (std::size_t i = 1; i < anchors.size(); ++i) {
    if (anchors[i].hash != anchors[first].hash) {
      first = i;
    } else {
      candidates.push_back(
          {place_of(anchors[i]), place_of(anchors[first]), place_of(anchors[i - 1])});
    }
  }
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.here < b.here; });
  return candidates;
}

/// Goes through the candidates of one document after the other.
class RepeatFinder {
 public:
  RepeatFinder(std::span<const std::string_view> documents, std::size_t least)
      : documents_(documents), least_(least) {}

  std::vector<Repeat> find(const std::vector<Candidate>& candidates) {
    for (const Candidate& candidate : candidates) {
      if (candidate.here.document != document_) {
        document_ = candidate.here.document;
        free_ = 0;
        edges_.clear();
      }
      if (candidate.here.at < free_) continue;
      const Repeat by_first = extend(candidate.here, candidate.first);
      const Repeat by_last = extend(candidate.here, candidate.last);
      const auto size = [](const Repeat& repeat) { return repeat.end - repeat.begin; };
      const Repeat& longest = size(by_last) > size(by_first) ? by_last : by_first;
      if (size(longest) < least_) continue;
      free_ = longest.end;
      take(longest);
    }
    return std::move(repeats_);
  }

 private:
  /// The longest equal passages around two places; within one document they do not overlap.
  Repeat extend(Place here, Place there) const {
    const std::string_view text = documents_[here.document], source = documents_[there.document];
    const bool same = here.document == there.document;
    const std::size_t most = same ? here.at - there.at : text.size();
    std::size_t begin = here.at, source_begin = there.at, end = here.at;
    while (end < text.size() && end - begin < most &&
           source_begin + (end - begin) < source.size() &&
           text[end] == source[source_begin + (end - begin)])
      ++end;
    if (end - begin < kGram) return {};  // hashes that agree by chance
    while (begin > free_ && source_begin > 0 && end - begin < most &&
           text[begin - 1] == source[source_begin - 1])
      --begin, --source_begin;
    return {here.document, begin, end, there.document, source_begin};
  }

  /// Cuts it to whole sentences.
  void take(Repeat repeat) {
    const std::string_view text = documents_[document_];
    if (edges_.empty()) edges_ = sentence_edges(text);
    const auto begin = std::lower_bound(edges_.begin(), edges_.end(), repeat.begin);
    auto end = std::upper_bound(edges_.begin(), edges_.end(), repeat.end);
    // Of the white space after the last sentence the source may have less: the rest stays.
    const bool only_white =
        end != edges_.end() &&
        text.substr(repeat.end, *end - repeat.end).find_first_not_of(" \t\r\n") ==
            std::string_view::npos;
    if (!only_white) --end;
    if (begin >= end || *begin >= repeat.end) return;
    repeat.source_begin += *begin - repeat.begin;
    repeat.begin = *begin;
    repeat.end = std::min(*end, repeat.end);
    repeats_.push_back(repeat);
  }

  std::span<const std::string_view> documents_;
  std::size_t least_;
  std::vector<Repeat> repeats_;
  uint32_t document_ = 0;
  std::size_t free_ = 0;            // of the document: what is before it was looked at
  std::vector<std::size_t> edges_;  // of the document, once it is known to repeat something
};

}  // namespace

std::vector<Repeat> find_repeats(std::span<const std::string_view> documents, int64_t min_bytes,
                                 ThreadPool& pool) {
  CUPEL_ASSERT(min_bytes >= static_cast<int64_t>(kLeastBytes));
  const auto least = static_cast<std::size_t>(min_bytes);
  constexpr int64_t kGrain = 64;  // documents
  const auto count = static_cast<int64_t>(documents.size());
  std::vector<std::vector<Anchor>> chunks(static_cast<std::size_t>((count + kGrain - 1) / kGrain));
  pool.parallel_for(count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const std::string_view text = documents[static_cast<std::size_t>(i)];
      CUPEL_ASSERT(text.size() <= UINT32_MAX);
      append_anchors(text, static_cast<uint32_t>(i), least - kGram + 1,
                     chunks[static_cast<std::size_t>(begin / kGrain)]);
    }
  });
  std::vector<Anchor> anchors;
  for (const std::vector<Anchor>& chunk : chunks)
    anchors.insert(anchors.end(), chunk.begin(), chunk.end());
  return RepeatFinder(documents, least).find(candidates_of(std::move(anchors)));
}

std::string remove_repeats(std::string_view text, std::span<const Repeat> repeats) {
  std::string rest;
  std::size_t at = 0;
  for (const Repeat& repeat : repeats) {
    CUPEL_ASSERT(repeat.begin >= at && repeat.begin <= repeat.end && repeat.end <= text.size());
    rest += text.substr(at, repeat.begin - at);
    at = repeat.end;
  }
  rest += text.substr(at);
  return rest;
}

}  // namespace cupel::curate
