#include "nn/classified_rows.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "base/error.h"

namespace cupel::nn {

int64_t padded_length(const std::vector<const ClassifiedRow*>& rows) {
  std::size_t longest = 0;
  for (const ClassifiedRow* row : rows) longest = std::max(longest, row->ids.size());
  return static_cast<int64_t>(longest);
}

RowOrder::RowOrder(const std::vector<RowSet>& sets, int64_t rows_a_batch, const Run& run,
                   std::string setting)
    : sets_(sets),
      rows_a_batch_(static_cast<std::size_t>(rows_a_batch)),
      run_(run),
      setting_(std::move(setting)) {
  load_epoch(0);
  batches_ = static_cast<int64_t>(epoch_batches_.size());
}

BatchSizes RowOrder::sizes() const {
  BatchSizes sizes{batches_};
  int64_t tokens = 0;
  for (const auto& rows : epoch_batches_) {
    const auto count = static_cast<int64_t>(rows.size());
    const int64_t length = padded_length(rows);
    tokens += count * length;
    if (count * length <= sizes.rows * sizes.length) continue;
    sizes.rows = count;
    sizes.length = length;
  }
  sizes.mean_tokens = static_cast<double>(tokens) / static_cast<double>(batches_);
  return sizes;
}

/// weight times the set's rows: all of them, as often as it takes, and a random part.
void RowOrder::take(std::size_t set, Rng& rng, std::vector<const ClassifiedRow*>& order) const {
  const RowSet& from = sets_[set];
  if (from.weight == 0) return;
  const double wanted =
      std::max(1.0, std::round(from.weight * static_cast<double>(from.rows.size())));
  if (wanted + static_cast<double>(order.size()) > kMostRows) {
    fail(ErrorKind::config, setting_ + "[" + std::to_string(set) + "].weight",
         "makes an epoch of more than 100000000 rows",
         "lower it; num_epochs and max_steps repeat the data");
  }
  std::vector<const ClassifiedRow*> all;
  for (const ClassifiedRow& row : from.rows) all.push_back(&row);
  for (auto left = static_cast<std::size_t>(wanted); left > 0;) {
    rng.shuffle(all);
    const std::size_t count = std::min(left, all.size());
    order.insert(order.end(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
    left -= count;
  }
}

void RowOrder::load_epoch(int64_t epoch) {
  Rng rng = run_.stream("order of rows", static_cast<uint64_t>(epoch));
  std::vector<const ClassifiedRow*> order;
  for (std::size_t i = 0; i < sets_.size(); ++i) take(i, rng, order);
  rng.shuffle(order);
  const auto tokens = [](const ClassifiedRow* row) { return row->ids.size(); };
  const std::size_t together = rows_a_batch_ * static_cast<std::size_t>(kTogether);
  epoch_batches_.clear();
  for (std::size_t begin = 0; begin < order.size(); begin += together) {
    const auto part = std::span(order).subspan(begin, std::min(together, order.size() - begin));
    std::ranges::stable_sort(part, std::greater(), tokens);
    for (std::size_t i = 0; i < part.size(); i += rows_a_batch_) {
      const auto rows = part.subspan(i, std::min(rows_a_batch_, part.size() - i));
      epoch_batches_.emplace_back(rows.begin(), rows.end());
    }
  }
  rng.shuffle(epoch_batches_);
  if (epoch == 0) {
    const auto longest = std::ranges::max_element(
        epoch_batches_, {}, [](const auto& rows) { return padded_length(rows); });
    std::iter_swap(epoch_batches_.begin(), longest);
  }
  epoch_ = epoch;
}

std::vector<const ClassifiedRow*> RowOrder::batch(int64_t index) {
  if (index / batches_ != epoch_) load_epoch(index / batches_);
  return epoch_batches_[static_cast<std::size_t>(index % batches_)];
}

}  // namespace cupel::nn
