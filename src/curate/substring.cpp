#include "curate/substring.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <utility>

#include "base/error.h"
#include "curate/grouping.h"
#include "curate/sentences.h"
#include "curate/text_counts.h"

namespace cupel::curate {
namespace {

constexpr std::size_t kGram = 32;  // bytes that an anchor is the hash of
constexpr uint64_t kBase = UINT64_C(0x9E3779B97F4A7C15);
constexpr int64_t kMostAnchors = int64_t{UINT32_MAX} - 1;
constexpr int64_t kBlock = int64_t{1} << 14;  // anchors that are read at a time
constexpr std::size_t kTexts = 8;             // in memory
constexpr std::string_view kWhite = " \t\r\n";

struct StoredAnchor {
  uint64_t hash;
  uint32_t document, place;
};

/// Numbers of the first anchor of the same hash, and of the last one before, plus 1; 0: there is
/// none.
struct Link {
  uint32_t first = 0, last = 0;
};

/// `count` values of type T from number `first` on.
template <class T>
std::vector<T> read_block(const ScratchFile& file, int64_t first, int64_t count) {
  std::vector<T> block(static_cast<std::size_t>(count));
  file.read(first * static_cast<int64_t>(sizeof(T)), reinterpret_cast<char*>(block.data()),
            block.size() * sizeof(T));
  return block;
}

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

/// An anchor that has others of its hash before it.
struct Candidate {
  std::size_t at;
  Link link;
};

}  // namespace

/// Goes through the documents that have candidates, one after the other.
class RepeatFinder::Search {
 public:
  Search(const RepeatFinder& finder, const Source& text)
      : finder_(finder), text_(text), dropped_(static_cast<std::size_t>(finder.documents_)) {}

  void decide(int64_t document, const std::vector<Candidate>& candidates, const Take& take) {
    const std::string text = text_(document);
    const std::vector<Repeat> repeats = repeats_of(document, text, candidates);
    if (!repeats.empty() && !take(document, text, repeats))
      dropped_[static_cast<std::size_t>(document)] = true;
  }

 private:
  std::vector<Repeat> repeats_of(int64_t document, const std::string& text,
                                 const std::vector<Candidate>& candidates) {
    std::vector<Repeat> repeats;
    std::vector<std::size_t> edges;  // once it is known to repeat something
    std::size_t free = 0;            // what is before it was looked at
    for (const Candidate& candidate : candidates) {
      if (candidate.at < free) continue;
      Repeat longest;
      for (const std::optional<StoredAnchor>& there :
           {kept(candidate.link.first), last_kept(candidate.link.last)}) {
        if (!there) continue;
        const Repeat repeat =
            there->document == document
                ? extend(text, candidate.at, text, *there, free, true)
                : extend(text, candidate.at, source_text(there->document), *there, free, false);
        if (repeat.end - repeat.begin > longest.end - longest.begin) longest = repeat;
      }
      const std::string_view passage =
          std::string_view(text).substr(longest.begin, longest.end - longest.begin);
      if (text_width(passage) < finder_.min_chars_) continue;
      free = longest.end;
      if (edges.empty()) edges = sentence_edges(text);
      if (auto sentences = whole_sentences(text, edges, longest)) repeats.push_back(*sentences);
    }
    return repeats;
  }

  StoredAnchor anchor(uint32_t number) const {
    return read_block<StoredAnchor>(finder_.stored_, number, 1)[0];
  }
  /// The anchor that a link names, if its document stays.
  std::optional<StoredAnchor> kept(uint32_t link) const {
    const StoredAnchor found = anchor(link - 1);
    if (dropped_[found.document]) return std::nullopt;
    return found;
  }
  std::optional<StoredAnchor> last_kept(uint32_t link) const {
    for (; link != 0; link = read_block<Link>(finder_.links_, link - 1, 1)[0].last)
      if (const auto found = kept(link)) return found;
    return std::nullopt;
  }

  const std::string& source_text(int64_t document) {
    for (const auto& [known, text] : texts_) {
      if (known == document) return text;
    }
    if (texts_.size() == kTexts) texts_.pop_front();
    return texts_.emplace_back(document, text_(document)).second;
  }

  /// The longest equal passages around two places, of whole characters, from `free` on; within one
  /// text they do not overlap.
  static Repeat extend(std::string_view text, std::size_t at, std::string_view source,
                       const StoredAnchor& there, std::size_t free, bool is_same) {
    const std::size_t most = is_same ? at - there.place : text.size();
    std::size_t begin = at, source_begin = there.place, end = at;
    while (end < text.size() && end - begin < most &&
           source_begin + (end - begin) < source.size() &&
           text[end] == source[source_begin + (end - begin)])
      ++end;
    if (end - begin < kGram) return {};  // hashes that agree by chance
    while (begin > free && source_begin > 0 && end - begin < most &&
           text[begin - 1] == source[source_begin - 1])
      --begin, --source_begin;
    const auto within_character = [&](std::size_t i) {
      return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
    };
    while (within_character(begin)) ++begin, ++source_begin;
    while (within_character(end)) --end;
    return {begin, end, there.document, source_begin};
  }

  /// What a repeat holds of them, or nothing.
  static std::optional<Repeat> whole_sentences(std::string_view text,
                                               const std::vector<std::size_t>& edges,
                                               Repeat repeat) {
    const auto is_white = [&](std::size_t from, std::size_t to) {
      return text.substr(from, to - from).find_first_not_of(kWhite) == std::string_view::npos;
    };
    auto begin = std::lower_bound(edges.begin(), edges.end(), repeat.begin);
    if (begin != edges.begin() && is_white(begin[-1], repeat.begin)) --begin;
    auto end = std::upper_bound(edges.begin(), edges.end(), repeat.end);
    if (end == edges.end() || !is_white(repeat.end, *end)) --end;
    if (begin >= end || *begin >= repeat.end) return std::nullopt;
    const std::size_t first = text.find_first_not_of(kWhite, std::max(*begin, repeat.begin));
    if (first >= repeat.end) return std::nullopt;
    return Repeat{*begin, *end, repeat.source, repeat.source_begin + (first - repeat.begin)};
  }

  const RepeatFinder& finder_;
  const Source& text_;
  std::vector<bool> dropped_;                          // by document
  std::deque<std::pair<int64_t, std::string>> texts_;  // those read last
};

RepeatFinder::RepeatFinder(const SubstringConfig& config, int64_t memory_limit,
                           const std::filesystem::path& folder)
    : min_chars_(config.min_chars),
      sorted_anchors_(memory_limit / static_cast<int64_t>(sizeof(KeyOf<uint64_t>))),
      stored_(folder),
      links_(folder) {
  CUPEL_ASSERT(min_chars_ >= static_cast<int64_t>(2 * kGram));  // else most places were anchors
}

/// The least hash of every window; of equal ones that which the window before has, or else the
/// rightmost ("robust winnowing"), so that a text of one character has few.
std::vector<Anchor> RepeatFinder::anchors(std::string_view text) const {
  const std::size_t window = static_cast<std::size_t>(min_chars_) - kGram + 1;
  std::vector<Anchor> anchors;
  if (text.size() < kGram + window - 1) return anchors;
  CUPEL_ASSERT(text.size() <= UINT32_MAX);
  // A queue of growing hashes: a later, smaller one makes those before it useless. Its head is kept
  // by index; what lies before it is dropped when the queue grows long.
  std::vector<Anchor> queue;
  std::size_t head = 0;
  RollingHash rolling(text);
  for (std::size_t place = 0; place + kGram <= text.size(); ++place) {
    if (place > 0) rolling.move();
    const uint64_t hash = rolling.value();
    while (queue.size() > head && queue.back().hash >= hash) queue.pop_back();
    queue.push_back({hash, static_cast<uint32_t>(place)});
    if (place + 1 < window) continue;
    while (queue[head].place + window <= place) ++head;
    const bool stands = !anchors.empty() && anchors.back().hash == queue[head].hash &&
                        anchors.back().place + window > place;
    if (!stands) anchors.push_back(queue[head]);
    if (head > 2 * window) {
      queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(head));
      head = 0;
    }
  }
  return anchors;
}

void RepeatFinder::add(std::span<const Anchor> anchors) {
  anchors_ += static_cast<int64_t>(anchors.size());
  if (anchors_ > kMostAnchors) {
    fail(ErrorKind::resource, "[substring]",
         "more than " + std::to_string(kMostAnchors) + " anchors",
         "take the documents in parts, each against what was kept of those before");
  }
  for (const Anchor& anchor : anchors) {
    stored_.append(
        bytes_of(StoredAnchor{anchor.hash, static_cast<uint32_t>(documents_), anchor.place}));
    links_.append(bytes_of(Link{}));
  }
  ++documents_;
}

void RepeatFinder::link_equal_hashes() {
  const auto scan = [&](const auto& take) {
    for (int64_t first = 0; first < anchors_; first += kBlock) {
      auto number = static_cast<uint32_t>(first);
      for (const StoredAnchor& anchor :
           read_block<StoredAnchor>(stored_, first, std::min(kBlock, anchors_ - first)))
        take(number++, anchor.hash);
    }
  };
  for_each_group<uint64_t>(scan, sorted_anchors_, [&](std::span<const KeyOf<uint64_t>> equal) {
    for (std::size_t i = 1; i < equal.size(); ++i) {
      links_.write(int64_t{equal[i].document} * static_cast<int64_t>(sizeof(Link)),
                   bytes_of(Link{equal[0].document + 1, equal[i - 1].document + 1}));
    }
  });
}

void RepeatFinder::find(int64_t first, const Source& text, const Take& take,
                        const std::function<void()>& poll) {
  link_equal_hashes();
  Search search(*this, text);
  std::vector<Candidate> candidates;
  int64_t document = 0;
  const auto decide = [&] {
    if (!candidates.empty()) search.decide(document, candidates, take);
    candidates.clear();
  };
  for (int64_t begin = 0; begin < anchors_; begin += kBlock) {
    poll();
    const int64_t count = std::min(kBlock, anchors_ - begin);
    const auto anchors = read_block<StoredAnchor>(stored_, begin, count);
    const auto links = read_block<Link>(links_, begin, count);
    for (std::size_t i = 0; i < anchors.size(); ++i) {
      if (anchors[i].document != document) decide();
      document = anchors[i].document;
      if (links[i].first != 0 && document >= first)
        candidates.push_back({anchors[i].place, links[i]});
    }
  }
  decide();
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
