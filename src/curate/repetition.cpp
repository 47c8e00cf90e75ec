#include "curate/repetition.h"

#include <algorithm>
#include <bit>
#include <span>

#include "curate/hash_counts.h"

namespace cupel::curate {
namespace {

constexpr std::size_t kMostWords = 131072;
constexpr std::size_t kLongest = 10;

/// A place where an n-gram begins that may occur elsewhere too.
struct GramPlace {
  uint64_t gram;             // hash of the n-gram here
  uint32_t word;             // index
  uint32_t slot : 31;        // of its count
  uint32_t seen_before : 1;  // the n-gram stands at an earlier place
};
static_assert(sizeof(GramPlace) == 16);

class GramCounter {
 public:
  GramCounter(std::span<const CountedWord> words, int64_t characters)
      : words_(words), characters_(static_cast<double>(characters)) {
    places_.reserve(words.size());
    for (uint32_t i = 0; i < words.size(); ++i) places_.push_back({words[i].hash, i, 0, 0});
  }

  /// Goes on from n-grams to those of one word more, and counts them.
  void lengthen() {
    ++length_;
    const auto fits = [&](const GramPlace& place) { return place.word + length_ <= words_.size(); };
    while (!places_.empty() && !fits(places_.back())) places_.pop_back();
    for (GramPlace& place : places_)
      place.gram = combine_hashes(place.gram, words_[place.word + length_ - 1].hash);
    drop_most_unique();
    counts_.reset(places_.size());
    for (GramPlace& place : places_) {
      const std::size_t slot = counts_.slot(place.gram);
      place.slot = static_cast<uint32_t>(slot) & 0x7FFFFFFF;
      place.seen_before = counts_.count(slot)++ > 0;
    }
    std::erase_if(places_, [&](const GramPlace& place) { return counts_.count(place.slot) < 2; });
  }

  double top_share() {
    int64_t most = 0;
    for (const GramPlace& place : places_) {
      most = std::max(most, characters_of(place.word, place.word + length_) *
                                int64_t{counts_.count(place.slot)});
    }
    return std::min(static_cast<double>(most) / characters_, 1.0);
  }

  double duplicate_share() const {
    int64_t sum = 0;
    std::size_t covered = 0;
    for (const GramPlace& place : places_) {
      if (!place.seen_before) continue;
      const std::size_t end = place.word + length_;
      sum += characters_of(std::max<std::size_t>(place.word, covered), end);
      covered = end;
    }
    return static_cast<double>(sum) / characters_;
  }

 private:
  /// A byte for the low bits of each hash, counted up to 2: where it is 1 the n-gram is alone. Few
  /// are left for the exact count, which is several times slower.
  void drop_most_unique() {
    times_.assign(std::bit_ceil(8 * places_.size() + 1), 0);
    const std::size_t mask = times_.size() - 1;
    for (const GramPlace& place : places_) {
      uint8_t& times = times_[place.gram & mask];
      times = static_cast<uint8_t>(times + (times < 2));
    }
    std::size_t kept = 0;  // without a branch, which nothing could foretell
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const GramPlace place = places_[i];
      places_[kept] = place;
      kept += times_[place.gram & mask] == 2;
    }
    places_.resize(kept);
  }

  int64_t characters_of(std::size_t begin, std::size_t end) const {
    int64_t sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += words_[i].characters;
    return sum;
  }

  std::span<const CountedWord> words_;
  double characters_;
  std::size_t length_ = 1;
  std::vector<GramPlace> places_;  // in order
  HashCounts counts_;
  std::vector<uint8_t> times_;
};

}  // namespace

Repetition measure_repetition(const TextCounts& counts) {
  Repetition result;
  const std::span words(counts.words.data(), std::min(counts.words.size(), kMostWords));
  int64_t characters = 0;
  for (const CountedWord& word : words) characters += word.characters;
  if (characters == 0) return result;
  GramCounter counter(words, characters);
  const std::size_t step = counts.is_unspaced() ? 2 : 1;
  for (std::size_t n = 1; n <= kLongest; ++n) {
    for (std::size_t i = n == 1 ? 1 : 0; i < step; ++i) counter.lengthen();
    if (n >= 2 && n <= 4) result.top_grams[n - 2] = counter.top_share();
    if (n >= 5) result.duplicate_grams[n - 5] = counter.duplicate_share();
  }
  return result;
}

}  // namespace cupel::curate
