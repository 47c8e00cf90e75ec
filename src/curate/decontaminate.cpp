#include "curate/decontaminate.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/error.h"

namespace cupel::curate {
namespace {

constexpr std::size_t kMostPlaces = 64;  // of an n-gram
constexpr std::size_t kMostGap = 8;      // words that are passed over, of both texts together
constexpr std::size_t kAfterGap = 3;     // words that must agree behind it
constexpr uint64_t kWindowRadix = UINT64_C(0x9fb21c651e98df25);

/// Calls take(place, hash) for each n-gram: a polynomial over the words' hashes, mixed since they
/// are looked up by their low bits.
template <class Take>
void for_each_ngram(std::span<const uint64_t> words, std::size_t ngram, const Take& take) {
  if (words.size() < ngram) return;
  uint64_t leaving = 1, window = 0;
  for (std::size_t i = 0; i < ngram; ++i) leaving *= kWindowRadix;
  for (std::size_t i = 0; i < ngram; ++i) window = window * kWindowRadix + words[i];
  for (std::size_t i = 0;; ++i) {
    const uint64_t mixed = (window ^ window >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    if (!take(i, mixed ^ mixed >> 32) || i + ngram == words.size()) return;
    window = window * kWindowRadix + words[i + ngram] - words[i] * leaving;
  }
}

/// Two texts read side by side from one place in each, in one direction.
struct Walk {
  std::size_t found = 0;      // words that agree
  std::size_t first_run = 0;  // those before the first that do not
  std::size_t longest_run = 0;
  std::size_t passed = 0;  // words of the first text up to the last that agrees
};

/// `a` and `b` are read forwards, or backwards where `step` is -1: word i is at a[i * step].
Walk walk(const uint64_t* a, std::size_t a_size, const uint64_t* b, std::size_t b_size,
          std::ptrdiff_t step) {
  const auto agree = [&](std::size_t i, std::size_t j) {
    return i < a_size && j < b_size &&
           a[static_cast<std::ptrdiff_t>(i) * step] == b[static_cast<std::ptrdiff_t>(j) * step];
  };
  const auto go_on_at = [&](std::size_t i, std::size_t j) {
    for (std::size_t k = 0; k < kAfterGap; ++k) {
      if (k > 0 && j + k == b_size) return true;
      if (!agree(i + k, j + k)) return false;
    }
    return true;
  };
  Walk walk;
  std::size_t i = 0, j = 0, run = 0;
  const auto pass_gap = [&] {
    for (std::size_t gap = 1; gap <= kMostGap; ++gap) {
      for (std::size_t skipped = 0; skipped <= gap; ++skipped) {
        if (!go_on_at(i + skipped, j + gap - skipped)) continue;
        i += skipped;
        j += gap - skipped;
        return true;
      }
    }
    return false;
  };
  for (bool whole = true; i < a_size && j < b_size;) {
    if (!agree(i, j)) {
      whole = false;
      run = 0;
      if (!pass_gap()) break;
    }
    ++i, ++j, ++run, ++walk.found;
    walk.passed = i;
    walk.longest_run = std::max(walk.longest_run, run);
    if (whole) walk.first_run = run;
  }
  return walk;
}

/// Whether `ngram` words of the answer, or all if it has fewer, follow one another in `words`.
bool holds_answer(std::span<const uint64_t> words, std::span<const uint64_t> answer,
                  std::size_t ngram) {
  const std::size_t size = std::min(ngram, answer.size());
  for (std::size_t from = 0; from + size <= answer.size(); ++from) {
    const auto part = answer.subspan(from, size);
    if (std::search(words.begin(), words.end(), part.begin(), part.end()) != words.end())
      return true;
  }
  return false;
}

}  // namespace

Decontaminator::Decontaminator(const DecontaminateConfig& config, EvaluationTexts evaluations)
    : config_(config),
      report_{static_cast<int64_t>(evaluations.texts.size()), evaluations.left_out},
      texts_(std::move(evaluations.texts)) {
  CUPEL_ASSERT(texts_.size() < UINT32_MAX);
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    for_each_ngram(
        texts_[i].words, static_cast<std::size_t>(config_.least_words()),
        [&](std::size_t at, uint64_t hash) {
          entries_.push_back({hash, static_cast<uint32_t>(i), static_cast<uint32_t>(at)});
          return true;
        });
  }
  const auto key = [](const Entry& entry) { return std::tie(entry.hash, entry.text, entry.at); };
  std::sort(entries_.begin(), entries_.end(),
            [&](const Entry& a, const Entry& b) { return key(a) < key(b); });
  CUPEL_ASSERT(entries_.size() < UINT32_MAX);
  slots_.assign(std::bit_ceil(2 * entries_.size() + 1), 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (i > 0 && entries_[i].hash == entries_[i - 1].hash) continue;
    std::size_t slot = entries_[i].hash & (slots_.size() - 1);
    while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = static_cast<uint32_t>(i) + 1;
  }
}

/// Where the n-gram stands, or nowhere if that is in too many places.
std::span<const Decontaminator::Entry> Decontaminator::look_up(uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = hash & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const std::size_t first = slots_[slot] - 1;
    if (entries_[first].hash != hash) continue;
    std::size_t end = first;
    while (end < entries_.size() && entries_[end].hash == hash && end - first < kMostPlaces) ++end;
    if (end - first == kMostPlaces) return {};
    return std::span(entries_).subspan(first, end - first);
  }
  return {};
}

Decontaminator::Match Decontaminator::read_on(std::span<const uint64_t> words, std::size_t at,
                                              std::span<const uint64_t> evaluation,
                                              std::size_t from) {
  const Walk right = walk(words.data() + at, words.size() - at, evaluation.data() + from,
                          evaluation.size() - from, 1);
  Walk left;
  if (at > 0 && from > 0)
    left = walk(words.data() + at - 1, at, evaluation.data() + from - 1, from, -1);
  const std::size_t run = left.first_run + right.first_run;
  return {at - left.passed, at + right.passed, left.found + right.found,
          std::max({run, left.longest_run, right.longest_run})};
}

bool Decontaminator::is_held(const Match& match, const EvaluationText& text,
                             std::span<const uint64_t> words) const {
  const auto ngram = static_cast<std::size_t>(config_.ngram);
  if (match.longest_run < std::min(ngram, text.words.size())) return false;
  if (static_cast<double>(match.found) < config_.overlap * static_cast<double>(text.words.size()))
    return false;
  if (text.answers.empty()) return true;
  const auto distance = static_cast<std::size_t>(config_.answer_distance);
  const std::size_t begin = match.begin - std::min(match.begin, distance);
  const std::size_t end = std::min(words.size(), match.end + distance);
  return std::any_of(text.answers.begin(), text.answers.end(), [&](const auto& answer) {
    return holds_answer(words.subspan(begin, end - begin), answer, ngram);
  });
}

std::optional<Contamination> Decontaminator::find(std::string_view text) const {
  const TextWords words = words_of(text);
  std::optional<Contamination> found;
  // Up to where this text was read beside an evaluation text that begins at a place of it.
  std::unordered_map<uint64_t, std::size_t> read_to;
  const auto try_at = [&](std::size_t at, uint64_t hash) {
    for (const Entry& entry : look_up(hash)) {
      const uint32_t beside = static_cast<uint32_t>(at) - entry.at;
      std::size_t& end = read_to[uint64_t{entry.text} << 32 | beside];
      if (at < end) continue;
      const EvaluationText& evaluation = texts_[entry.text];
      const Match match = read_on(words.hashes, at, evaluation.words, entry.at);
      end = match.end;
      if (!is_held(match, evaluation, words.hashes)) continue;
      const std::size_t begin = words.spans[match.begin].begin;
      found = Contamination{
          evaluation.file, evaluation.line,
          static_cast<double>(match.found) / static_cast<double>(evaluation.words.size()),
          words.form.substr(begin, words.spans[match.end - 1].end - begin)};
      return false;
    }
    return true;
  };
  for_each_ngram(words.hashes, static_cast<std::size_t>(config_.least_words()), try_at);
  return found;
}

}  // namespace cupel::curate
