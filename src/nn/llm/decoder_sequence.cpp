#include "nn/llm/decoder_sequence.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/error.h"

namespace cupel::llm {
namespace {

constexpr std::size_t kPromptPiece = 512;  // memory does not grow with a long prompt
constexpr int64_t kTrialGuesses = 32;

}  // namespace

DecoderSequence::DecoderSequence(const ModelConfig& config, const DecoderWeights& weights,
                                 DecoderForward& forward, std::shared_ptr<KeptSequence> kept,
                                 bool speculates)
    : config_(config),
      forward_(forward),
      kept_(std::move(kept)),
      speculates_(speculates && weights.prediction) {}

int64_t DecoderSequence::pending() const {
  return static_cast<int64_t>(hidden_.size()) / config_.hidden_size;
}

std::vector<float> DecoderSequence::extend(std::span<const int32_t> ids) {
  CUPEL_ASSERT(!ids.empty());
  if (ids_.empty()) ids = take_kept(ids);
  if (ahead_ && ids.size() == 1 && ids[0] == ahead_->id) {
    ++right_;
    ids_.push_back(ids[0]);
    std::vector<float> logits = std::move(ahead_->logits);
    ahead_.reset();
    return logits;
  }
  drop_guess();
  const std::optional<int32_t> guessed = guess(ids);
  return append(ids, guessed);
}

/// What is left of `ids` behind the tokens that the kept sequence has in common with them. The last
/// of those is computed again: its token to come may be another one, which the prediction layer
/// sees.
std::span<const int32_t> DecoderSequence::take_kept(std::span<const int32_t> ids) {
  KeptSequence kept = std::exchange(*kept_, {});
  const auto common =
      static_cast<std::size_t>(std::ranges::mismatch(ids, kept.ids).in1 - ids.begin());
  if (common < 2) return ids;
  cache_ = std::move(kept.cache);
  cache_.truncate(static_cast<int64_t>(common) - 1);
  ids_.assign(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(common) - 1);
  if (kept.predicted < cache_.length()) speculates_ = false;
  return ids.subspan(common - 1);
}

void DecoderSequence::drop_guess() {
  if (!ahead_) return;
  ahead_.reset();
  cache_.truncate(cache_.length() - 1);
  hidden_.resize(hidden_.size() - static_cast<std::size_t>(config_.hidden_size));
}

/// A guess costs the prediction layer, the head, and another row through every layer: about a tenth
/// where weights are what takes time.
bool DecoderSequence::guesses_pay() const {
  if (guesses_ < kTrialGuesses) return true;
  const double cost = 0.1 + 2.0 / static_cast<double>(1 + config_.num_hidden_layers);
  return static_cast<double>(right_) >= cost * static_cast<double>(guesses_);
}

/// Takes pending tokens through the prediction layer, now that the token behind each is known; the
/// token behind `ids` by it, where that is worth its time.
std::optional<int32_t> DecoderSequence::guess(std::span<const int32_t> ids) {
  if (speculates_ && !guesses_pay()) {
    speculates_ = false;
    hidden_.clear();
  }
  if (!speculates_ || hidden_.empty()) return std::nullopt;
  const int64_t position = cache_.length() - pending();
  std::vector<int32_t> next(ids_.begin() + position + 1, ids_.end());
  next.push_back(ids[0]);
  const bool room = cache_.length() + 2 <= config_.max_position_embeddings;
  if (ids.size() > 1 || !room) {
    forward_.predict(cache_, position, next, hidden_.data(), nullptr);
    hidden_.clear();
    return std::nullopt;
  }
  std::vector<float> logits(static_cast<std::size_t>(config_.vocab_size));
  forward_.predict(cache_, position, next, hidden_.data(), logits.data());
  hidden_.clear();
  ++guesses_;
  return static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin());
}

std::vector<float> DecoderSequence::append(std::span<const int32_t> ids,
                                           std::optional<int32_t> guessed) {
  std::vector<int32_t> all(ids.begin(), ids.end());
  if (guessed) all.push_back(*guessed);
  const auto width = static_cast<std::size_t>(config_.hidden_size);
  std::vector<int64_t> rows;
  for (std::size_t begin = 0; begin < all.size(); begin += kPromptPiece) {
    const std::size_t count = std::min(kPromptPiece, all.size() - begin);
    const int64_t position = cache_.length();
    const Continuation next{&cache_, std::span(all).subspan(begin, count)};
    forward_.extend({&next, 1});
    rows.resize(count);
    std::iota(rows.begin(), rows.end(), 0);
    const bool last = begin + count == all.size();
    if (last) break;
    if (!speculates_) continue;
    hidden_.resize(count * width);
    forward_.hidden(rows, hidden_.data());
    forward_.predict(cache_, position, std::span(all).subspan(begin + 1, count), hidden_.data(),
                     nullptr);
  }
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  const auto vocabulary = static_cast<std::size_t>(config_.vocab_size);
  const std::size_t wanted = guessed ? 2 : 1;
  std::vector<float> logits(wanted * vocabulary);
  forward_.logits(std::span(rows).last(wanted), logits.data());
  if (speculates_) {
    hidden_.resize(rows.size() * width);
    forward_.hidden(rows, hidden_.data());
    const std::size_t known = rows.size() - wanted;  // whose next token stands in `ids`
    if (known > 0) {
      forward_.predict(cache_, cache_.length() - static_cast<int64_t>(rows.size()),
                       std::span(all).subspan(all.size() - rows.size() + 1, known), hidden_.data(),
                       nullptr);
      hidden_.erase(hidden_.begin(), hidden_.begin() + static_cast<std::ptrdiff_t>(known * width));
    }
  }
  if (guessed) {
    ahead_ =
        Ahead{*guessed, {logits.begin() + static_cast<std::ptrdiff_t>(vocabulary), logits.end()}};
    logits.resize(vocabulary);
  }
  return logits;
}

void DecoderSequence::keep() {
  drop_guess();
  kept_->predicted = speculates_ ? cache_.length() - pending() : 0;
  kept_->ids = std::exchange(ids_, {});
  kept_->cache = std::exchange(cache_, {});
  hidden_.clear();
}

}  // namespace cupel::llm
