#include "data/ngram.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>

#include "base/error.h"

namespace cupel {
namespace {

constexpr int32_t kBegin = -1;  // before the first token; never predicted

/// The sequences one after the other, each behind order-1 begin markers; `starts` gets the
/// position of every n-gram, which is one for each token.
std::vector<int32_t> pad(std::span<const std::vector<int32_t>> sequences, int order,
                         std::vector<int64_t>& starts) {
  std::vector<int32_t> padded;
  for (const auto& sequence : sequences) {
    padded.insert(padded.end(), static_cast<size_t>(order - 1), kBegin);
    const auto base = static_cast<int64_t>(padded.size()) - (order - 1);
    for (size_t i = 0; i < sequence.size(); ++i) starts.push_back(base + static_cast<int64_t>(i));
    padded.insert(padded.end(), sequence.begin(), sequence.end());
  }
  return padded;
}

}  // namespace

NgramModel::NgramModel(std::span<const std::vector<int32_t>> sequences, int order,
                       int32_t vocabulary)
    : vocabulary_(vocabulary) {
  if (order < 1 || order > kMaxOrder) {
    fail(ErrorKind::config, "[ngram] order", "is " + std::to_string(order),
         "choose 1 to " + std::to_string(kMaxOrder));
  }
  if (vocabulary < 1) {
    fail(ErrorKind::config, "[ngram] vocabulary", "is empty", "use a tokenizer that has tokens");
  }
  for (const auto& sequence : sequences) {
    for (int32_t token : sequence) check(token);
  }
  std::vector<int64_t> starts;
  const std::vector<int32_t> padded = pad(sequences, order, starts);
  if (starts.empty()) {
    fail(ErrorKind::data, "[ngram]", "there is no token to count", "give it a text");
  }
  levels_.resize(static_cast<size_t>(order));
  levels_.back() = count_runs(order, padded, 1, std::move(starts));
  for (int k = order - 1; k >= 1; --k) {  // without its first id, each different gram counts once
    const Level& above = levels_[static_cast<size_t>(k)];
    std::vector<int64_t> rows(above.count.size());
    std::iota(rows.begin(), rows.end(), int64_t{0});
    levels_[static_cast<size_t>(k - 1)] =
        count_runs(k, std::span(above.grams).subspan(1), k + 1, std::move(rows));
  }
  for (Level& level : levels_) {
    set_discounts(level);
    set_contexts(level);
  }
}

/// Sorts the n-grams that begin at rows[start * row_stride] and counts equal ones.
NgramModel::Level NgramModel::count_runs(int order, std::span<const int32_t> rows,
                                         int64_t row_stride, std::vector<int64_t> starts) {
  const auto at = [&](int64_t start) { return rows.data() + start * row_stride; };
  std::sort(starts.begin(), starts.end(), [&](int64_t a, int64_t b) {
    return std::lexicographical_compare(at(a), at(a) + order, at(b), at(b) + order);
  });
  Level level;
  level.order = order;
  for (size_t i = 0; i < starts.size(); ++i) {
    if (i > 0 && std::equal(at(starts[i]), at(starts[i]) + order, at(starts[i - 1]))) {
      ++level.count.back();
    } else {
      level.grams.insert(level.grams.end(), at(starts[i]), at(starts[i]) + order);
      level.count.push_back(1);
    }
  }
  return level;
}

/// Chen and Goodman's estimate from how many n-grams occur once, twice, three and four times. A
/// text too small or too regular for it (one of the four is missing, or a discount falls outside
/// 0..count) gets 0.5, 1, 1.5, as KenLM's --discount_fallback does.
void NgramModel::set_discounts(Level& level) {
  std::array<double, 5> n{};
  for (int64_t count : level.count) {
    if (count <= 4) n[static_cast<size_t>(count)] += 1;
  }
  level.discount = {0, 0.5, 1, 1.5};
  if (std::any_of(n.begin() + 1, n.end(), [](double times) { return times == 0; })) return;
  const double y = n[1] / (n[1] + 2 * n[2]);
  std::array<double, 4> estimate{};
  for (size_t k = 1; k <= 3; ++k) {
    const auto times = static_cast<double>(k);
    estimate[k] = times - (times + 1) * y * n[k + 1] / n[k];
    if (estimate[k] < 0) return;
  }
  level.discount = estimate;
}

void NgramModel::set_contexts(Level& level) {
  const int context = level.order - 1;
  const auto grams = static_cast<int64_t>(level.count.size());
  for (int64_t i = 0; i < grams; ++i) {
    const auto here = level.gram(i);
    if (i == 0 || !std::equal(here.begin(), here.begin() + context, level.gram(i - 1).begin())) {
      level.first.push_back(i);
      level.total.push_back(0);
      level.left_over.push_back(0);
    }
    const int64_t count = level.count[static_cast<size_t>(i)];
    level.total.back() += static_cast<double>(count);
    level.left_over.back() += level.discount_of(count);
  }
  level.first.push_back(grams);
  for (size_t c = 0; c < level.total.size(); ++c) level.left_over[c] /= level.total[c];
}

/// From the uniform distribution upwards, one order at a time, as long as the context was seen.
double NgramModel::interpolated(std::span<const int32_t> history_and_token) const {
  double p = 1.0 / vocabulary_;
  for (const Level& level : levels_) {
    const auto order = static_cast<size_t>(level.order);
    const auto gram = history_and_token.last(order);
    const auto context = gram.first(order - 1);
    const auto before = [&](int64_t i, std::span<const int32_t> ids) {
      const auto row = level.gram(i).first(ids.size());
      return std::lexicographical_compare(row.begin(), row.end(), ids.begin(), ids.end());
    };
    const auto last = level.first.end() - 1;
    const auto found = std::lower_bound(level.first.begin(), last, context, before);
    if (found == last) return p;
    const auto row = level.gram(*found);
    if (!std::equal(context.begin(), context.end(), row.begin())) return p;
    const auto c = static_cast<size_t>(found - level.first.begin());
    p *= level.left_over[c];
    int64_t low = *found, high = *(found + 1);
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      before(middle, gram) ? low = middle + 1 : high = middle;
    }
    if (low < *(found + 1) && level.gram(low).back() == gram.back()) {
      const int64_t count = level.count[static_cast<size_t>(low)];
      p += (static_cast<double>(count) - level.discount_of(count)) / level.total[c];
    }
  }
  return p;
}

double NgramModel::probability(std::span<const int32_t> context, int32_t token) const {
  const size_t wanted = levels_.size() - 1;
  std::array<int32_t, kMaxOrder> ids{};
  ids.fill(kBegin);
  const auto known = context.last(std::min(wanted, context.size()));
  for (int32_t id : known) check(id);
  check(token);
  std::copy(known.begin(), known.end(), ids.begin() + (wanted - known.size()));
  ids[wanted] = token;
  return interpolated(std::span(ids).first(wanted + 1));
}

double NgramModel::log_likelihood(std::span<const int32_t> tokens) const {
  double sum = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    sum += std::log(probability(tokens.first(i), tokens[i]));
  }
  return sum;
}

void NgramModel::check(int32_t token) const {
  if (token < 0 || token >= vocabulary_) {
    fail(ErrorKind::data, "[ngram]",
         "token " + std::to_string(token) + " is outside the vocabulary of " +
             std::to_string(vocabulary_),
         "count and score with the same tokenizer");
  }
}

double bits_per_byte(double log_likelihood, int64_t bytes) {
  CUPEL_ASSERT(bytes > 0);
  return -log_likelihood / (std::numbers::ln2 * static_cast<double>(bytes));
}

}  // namespace cupel
