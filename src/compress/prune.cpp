#include "compress/prune.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "base/error.h"
#include "base/linalg.h"

namespace cupel::compress {
namespace {

// Channels that go between two rankings of all, since a pass over the whole inverse takes as long
// for one as for sixteen; and how many times as many they are chosen from.
constexpr int64_t kTogether = 16, kCandidates = 4;

struct Matrix {
  explicit Matrix(int64_t rows, int64_t cols)
      : values(static_cast<std::size_t>(rows * cols)), view{values.data(), rows, cols, cols} {}
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;
  View<const double> read() const { return {view.data, view.rows, view.cols, view.stride}; }
  std::vector<double> values;
  View<double> view;
};

double size_of_column(View<const float> down, int64_t j) {
  double squares = 0;
  for (int64_t i = 0; i < down.rows; ++i)
    squares += static_cast<double>(down(i, j)) * static_cast<double>(down(i, j));
  return std::sqrt(squares);
}

/// Eliminates channels from the inverse of the moments, the way that one step of Gauss does.
class Surgeon {
 public:
  Surgeon(const ChannelGroup& group, double ridge, ThreadPool& pool)
      : pool_(pool),
        n_(group.down.cols),
        inverse_(n_ + 1, n_ + 1),
        down_(group.down.rows, n_ + 1),
        alive_(static_cast<std::size_t>(n_), true) {
    for (int64_t i = 0; i <= n_; ++i) {
      std::copy_n(group.moments.row(i), n_ + 1, inverse_.view.row(i));
      inverse_.view(i, i) += ridge;
    }
    if (cholesky(inverse_.view, pool)) {
      fail(ErrorKind::data, "[compress.prune] moments of the calibration rows",
           "they are not finite", "look at the model's weights and the calibration texts");
    }
    cholesky_inverse(inverse_.view, pool);
    for (int64_t i = 0; i < group.down.rows; ++i)
      for (int64_t j = 0; j < n_; ++j) down_.view(i, j) = static_cast<double>(group.down(i, j));
  }

  /// ‖column‖² / inverse(j, j): what the error grows by if channel j goes and the others make up.
  std::vector<double> scores() const {
    std::vector<double> squares(static_cast<std::size_t>(n_));
    for (int64_t i = 0; i < down_.view.rows; ++i)
      for (int64_t j = 0; j < n_; ++j)
        squares[static_cast<std::size_t>(j)] += down_.view(i, j) * down_.view(i, j);
    for (int64_t j = 0; j < n_; ++j) squares[static_cast<std::size_t>(j)] /= inverse_.view(j, j);
    return squares;
  }

  void remove(int64_t count) {
    while (count > 0) {
      const int64_t together = std::min(count, kTogether);
      eliminate(least(together));
      count -= together;
    }
  }

  std::vector<int64_t> kept() const {
    std::vector<int64_t> result;
    for (int64_t j = 0; j < n_; ++j)
      if (alive_[static_cast<std::size_t>(j)]) result.push_back(j);
    return result;
  }

 private:
  /// The `count` channels to go next, one after the other among kCandidates times as many whose
  /// loss costs least now: channels that could stand in for one another must not go together.
  std::vector<int64_t> least(int64_t count) const {
    const std::vector<double> all = scores();
    std::vector<int64_t> order = kept();
    std::ranges::stable_sort(order, std::less(),
                             [&](int64_t j) { return all[static_cast<std::size_t>(j)]; });
    order.resize(std::min(order.size(), static_cast<std::size_t>(count * kCandidates)));
    const auto candidates = static_cast<int64_t>(order.size());
    Matrix inverse(candidates, candidates), down(down_.view.rows, candidates);
    for (int64_t a = 0; a < candidates; ++a) {
      const int64_t j = order[static_cast<std::size_t>(a)];
      for (int64_t b = 0; b < candidates; ++b)
        inverse.view(a, b) = inverse_.view(j, order[static_cast<std::size_t>(b)]);
      for (int64_t i = 0; i < down_.view.rows; ++i) down.view(i, a) = down_.view(i, j);
    }
    std::vector<int64_t> chosen;
    std::vector<bool> gone(order.size());
    while (static_cast<int64_t>(chosen.size()) < count) {
      const int64_t next = cheapest(inverse, down, gone);
      chosen.push_back(order[static_cast<std::size_t>(next)]);
      gone[static_cast<std::size_t>(next)] = true;
      const std::vector<double> row(inverse.view.row(next), inverse.view.row(next) + candidates);
      take_out(row, next, inverse);
      take_out(row, next, down);
    }
    return chosen;
  }

  static int64_t cheapest(const Matrix& inverse, const Matrix& down,
                          const std::vector<bool>& gone) {
    int64_t best = -1;
    double lowest = 0;
    for (int64_t a = 0; a < inverse.view.rows; ++a) {
      if (gone[static_cast<std::size_t>(a)]) continue;
      double squares = 0;
      for (int64_t i = 0; i < down.view.rows; ++i) squares += down.view(i, a) * down.view(i, a);
      const double cost = squares / inverse.view(a, a);
      if (best >= 0 && cost >= lowest) continue;
      best = a;
      lowest = cost;
    }
    return best;
  }

  /// matrix -= column `at` · row / row[at]
  static void take_out(const std::vector<double>& row, int64_t at, Matrix& matrix) {
    for (int64_t i = 0; i < matrix.view.rows; ++i) {
      const double factor = matrix.view(i, at) / row[static_cast<std::size_t>(at)];
      for (std::size_t b = 0; b < row.size(); ++b)
        matrix.view(i, static_cast<int64_t>(b)) -= factor * row[b];
    }
  }

  /// With B the channels: rows of `factor` are L⁻¹ P_B,: where P_BB = L Lᵀ, so that P loses factorᵀ
  /// factor, and down loses (down_B L⁻ᵀ) factor.
  void eliminate(const std::vector<int64_t>& channels) {
    const auto count = static_cast<int64_t>(channels.size());
    Matrix factor(count, n_ + 1), block(count, count), shares(count, down_.view.rows);
    for (int64_t b = 0; b < count; ++b) {
      const int64_t j = channels[static_cast<std::size_t>(b)];
      std::copy_n(inverse_.view.row(j), n_ + 1, factor.view.row(b));
      for (int64_t c = 0; c < count; ++c)
        block.view(b, c) = inverse_.view(j, channels[static_cast<std::size_t>(c)]);
      for (int64_t i = 0; i < down_.view.rows; ++i) shares.view(b, i) = down_.view(i, j);
      alive_[static_cast<std::size_t>(j)] = false;
    }
    CUPEL_ASSERT(!cholesky(block.view, pool_));
    solve_lower(block.read(), factor.view, pool_);
    solve_lower(block.read(), shares.view, pool_);
    subtract(shares, factor, down_);
    Matrix columns(count, n_ + 1);
    columns.values = factor.values;
    columns.view.data = columns.values.data();
    subtract(columns, factor, inverse_);
    for (const int64_t j : channels) {  // exactly, so that rounding never brings one back
      for (int64_t i = 0; i < down_.view.rows; ++i) down_.view(i, j) = 0;
      for (int64_t i = 0; i <= n_; ++i) inverse_.view(i, j) = inverse_.view(j, i) = 0;
      inverse_.view(j, j) = 1;
    }
  }

  /// from -= leftᵀ · right
  void subtract(const Matrix& left, const Matrix& right, Matrix& from) {
    pool_.parallel_for(from.view.rows, 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        double* row = from.view.row(i);
        for (int64_t b = 0; b < left.view.rows; ++b) {
          const double factor = left.view(b, i);
          const double* values = right.view.row(b);
          for (int64_t j = 0; j < from.view.cols; ++j) row[j] -= factor * values[j];
        }
      }
    });
  }

  ThreadPool& pool_;
  int64_t n_;
  Matrix inverse_, down_;  // the latter [out, n + 1]: the bias beside it
  std::vector<bool> alive_;
};

/// Σ‖y − y'‖² where y' = down' of the kept channels + bias', from the moments: with D the
/// difference of the weights, the trace of D M Dᵀ.
double squared_error(const ChannelGroup& group, const std::vector<int64_t>& kept,
                     View<const float> down, const std::vector<float>& bias) {
  const int64_t n = group.down.cols;
  std::vector<double> difference(static_cast<std::size_t>(n + 1));
  double total = 0;
  for (int64_t i = 0; i < group.down.rows; ++i) {
    for (int64_t j = 0; j < n; ++j)
      difference[static_cast<std::size_t>(j)] = static_cast<double>(group.down(i, j));
    difference.back() = -static_cast<double>(bias[static_cast<std::size_t>(i)]);
    for (std::size_t k = 0; k < kept.size(); ++k)
      difference[static_cast<std::size_t>(kept[k])] -=
          static_cast<double>(down(i, static_cast<int64_t>(k)));
    for (int64_t a = 0; a <= n; ++a) {
      const double factor = difference[static_cast<std::size_t>(a)];
      if (factor == 0) continue;
      double sum = 0;
      for (int64_t b = 0; b <= n; ++b)
        sum += group.moments(a, b) * difference[static_cast<std::size_t>(b)];
      total += factor * sum;
    }
  }
  return total;
}

/// Σ‖y − mean y‖²
double squared_size(const ChannelGroup& group) {
  const int64_t n = group.down.cols;
  double total = 0;
  for (int64_t i = 0; i < group.down.rows; ++i) {
    double squares = 0, sum = 0;
    for (int64_t a = 0; a < n; ++a) {
      double product = 0;
      for (int64_t b = 0; b < n; ++b)
        product += group.moments(a, b) * static_cast<double>(group.down(i, b));
      squares += product * static_cast<double>(group.down(i, a));
      sum += group.moments(n, a) * static_cast<double>(group.down(i, a));
    }
    total += squares - sum * sum / group.moments(n, n);
  }
  return total;
}

/// The weights of the kept channels, and the bias, that come nearest to the whole layer.
void fit_least_squares(const ChannelGroup& group, double ridge, ThreadPool& pool,
                       PrunedChannels& result) {
  const int64_t n = group.down.cols, out = group.down.rows;
  const auto k = static_cast<int64_t>(result.kept.size());
  const auto place = [&](int64_t i) {
    return i < k ? result.kept[static_cast<std::size_t>(i)] : n;
  };
  Matrix system(k + 1, k + 1), right(k + 1, out);
  pool.parallel_for(k + 1, 8, [&](int64_t begin, int64_t end) {
    for (int64_t a = begin; a < end; ++a) {
      const double* row = group.moments.row(place(a));
      for (int64_t b = 0; b <= k; ++b) system.view(a, b) = row[place(b)];
      system.view(a, a) += ridge;
      for (int64_t i = 0; i < out; ++i) {
        double sum = a < k ? ridge * static_cast<double>(group.down(i, place(a))) : 0;
        for (int64_t j = 0; j < n; ++j) sum += row[j] * static_cast<double>(group.down(i, j));
        right.view(a, i) = sum;
      }
    }
  });
  CUPEL_ASSERT(!cholesky(system.view, pool));
  cholesky_solve(system.read(), right.view, pool);
  for (int64_t i = 0; i < out; ++i) {
    for (int64_t a = 0; a < k; ++a)
      result.down[static_cast<std::size_t>(i * k + a)] = static_cast<float>(right.view(a, i));
    result.bias[static_cast<std::size_t>(i)] = static_cast<float>(right.view(k, i));
  }
}

std::vector<double> plain_importance(const ChannelGroup& group, Importance importance) {
  std::vector<double> result;
  for (int64_t j = 0; j < group.down.cols; ++j) {
    const double size = size_of_column(group.down, j);
    result.push_back(importance == Importance::magnitude
                         ? size
                         : size * std::sqrt(std::max(0.0, group.moments(j, j))));
  }
  return result;
}

std::vector<int64_t> largest(const std::vector<double>& importance, int64_t keep) {
  std::vector<int64_t> order(importance.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::ranges::stable_sort(order, std::greater(),
                           [&](int64_t j) { return importance[static_cast<std::size_t>(j)]; });
  order.resize(static_cast<std::size_t>(keep));
  std::ranges::sort(order);
  return order;
}

}  // namespace

PrunedChannels prune_channels(const ChannelGroup& group, int64_t keep, Importance importance,
                              double damping, ThreadPool& pool) {
  const int64_t n = group.down.cols, out = group.down.rows;
  CUPEL_ASSERT(keep > 0 && keep <= n && group.moments.rows == n + 1);
  double diagonal = 0;
  for (int64_t j = 0; j < n; ++j) diagonal += group.moments(j, j);
  // A channel that is never active leaves its row of the moments empty.
  const double ridge =
      std::max(damping * diagonal / static_cast<double>(n), std::numeric_limits<double>::min());
  PrunedChannels result;
  if (importance == Importance::obs) {
    Surgeon surgeon(group, ridge, pool);
    result.importance = surgeon.scores();
    surgeon.remove(n - keep);
    result.kept = surgeon.kept();
  } else {
    result.importance = plain_importance(group, importance);
    result.kept = largest(result.importance, keep);
  }
  result.down.resize(static_cast<std::size_t>(out * keep));
  result.bias.resize(static_cast<std::size_t>(out));
  for (int64_t i = 0; i < out; ++i)
    for (int64_t a = 0; a < keep; ++a)
      result.down[static_cast<std::size_t>(i * keep + a)] =
          group.down(i, result.kept[static_cast<std::size_t>(a)]);
  const View<const float> down{result.down.data(), out, keep, keep};
  const double size = squared_size(group);
  const auto relative = [&](double error) { return size > 0 ? std::max(0.0, error) / size : 0; };
  result.error_before = relative(squared_error(group, result.kept, down, result.bias));
  fit_least_squares(group, ridge, pool, result);
  result.error = relative(squared_error(group, result.kept, down, result.bias));
  return result;
}

int64_t channels_to_keep(int64_t n, double prune_ratio, int64_t step) {
  // The tolerance keeps 0.4 of 1,000 at 600 whatever 1 - 0.4 rounds to.
  const auto most =
      static_cast<int64_t>(std::floor(static_cast<double>(n) * (1 - prune_ratio) + 1e-9));
  const int64_t keep = most / step * step;
  if (keep < 1 || keep >= n) {
    fail(ErrorKind::config, "prune.prune_ratio",
         std::to_string(n) + " channels leave " + std::to_string(keep) + " at this ratio",
         "channels are kept in multiples of " + std::to_string(step) + "; take another ratio");
  }
  return keep;
}

}  // namespace cupel::compress
