#include "compress/gptq.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/linalg.h"
#include "data/cb4.h"
#include "data/gguf_types.h"
#include "kernels/kernels.h"

namespace cupel::compress {
namespace {

constexpr int64_t kStrip = 64;   // rows of W that a thread takes together
constexpr int64_t kBatch = 128;  // columns whose errors are passed on together

std::size_t size_of(int64_t count) { return static_cast<std::size_t>(count); }

/// What the rounding of columns does to those after them.
struct Feedback {
  int64_t width;
  std::vector<float> ratio;       // [width,width]: (j, i) = U(i,j) / U(i,i) for j > i, else 0
  std::vector<float> importance;  // 1 / U(i,i)²; 0 for dead columns
  double damping = 0;
  int64_t dead_columns = 0;
};

void check_hessian(View<const double> hessian, const std::string& where) {
  for (int64_t i = 0; i < hessian.rows; ++i) {
    for (int64_t j = i; j < hessian.cols; ++j) {
      if (std::isfinite(hessian(i, j)) && (i != j || hessian(i, i) >= 0)) continue;
      fail(ErrorKind::numeric, where,
           "the activations' second moment of columns " + std::to_string(i) + " and " +
               std::to_string(j) + " is " + std::to_string(hessian(i, j)),
           "calibrate on activations that are finite");
    }
  }
}

/// Mean of the diagonal over columns that live; 1 if none does.
double live_mean(View<const double> hessian) {
  double sum = 0;
  int64_t live = 0;
  for (int64_t i = 0; i < hessian.rows; ++i) {
    sum += hessian(i, i);
    live += hessian(i, i) > 0;
  }
  return live > 0 ? sum / static_cast<double>(live) : 1;
}

/// U of the damped H, in `u`; the damping it took.
double damped_factor(View<const double> hessian, double damping, std::vector<double>& u,
                     ThreadPool& pool, const std::string& where) {
  const int64_t k = hessian.rows;
  const double mean = live_mean(hessian);
  for (; damping <= 1e6; damping = damping > 0 ? damping * 10 : 1e-6) {
    for (int64_t i = 0; i < k; ++i) {
      double* row = u.data() + i * k;
      std::copy(hessian.row(i) + i, hessian.row(i) + k, row + i);
      row[i] = row[i] > 0 ? row[i] * (1 + damping) : mean;
    }
    if (!inverse_factor({u.data(), k, k, k}, pool)) return damping;
  }
  fail(ErrorKind::numeric, where, "the activations' second moments fit no activations",
       "calibrate again");
}

Feedback feedback_of(View<const double> hessian, double damping, ThreadPool& pool,
                     const std::string& where) {
  const int64_t k = hessian.rows;
  check_hessian(hessian, where);
  Feedback result{.width = k,
                  .ratio = std::vector<float>(size_of(k * k)),
                  .importance = std::vector<float>(size_of(k))};
  std::vector<double> u(size_of(k * k));
  result.damping = damped_factor(hessian, damping, u, pool, where);
  for (int64_t i = 0; i < k; ++i) {
    const double* row = u.data() + i * k;
    if (hessian(i, i) == 0) {
      ++result.dead_columns;
      continue;
    }
    result.importance[size_of(i)] = static_cast<float>(1 / (row[i] * row[i]));
    for (int64_t j = i + 1; j < k; ++j) {
      result.ratio[size_of(j * k + i)] = static_cast<float>(row[j] / row[i]);
    }
  }
  return result;
}

/// kStrip rows of W on their way through the columns, transposed so that vectors run over rows.
class Strip {
 public:
  Strip(const Feedback& feedback, int64_t group, int64_t batch)
      : feedback_(feedback),
        group_(group),
        batch_(batch),
        weights_(size_of(feedback.width * kStrip)),
        errors_(size_of(batch * kStrip)),
        codes_(size_of(kStrip * group)) {}

  /// Rounds `rows` (at most kStrip) and writes their blocks; returns their share of the error.
  double round(View<const float> rows, std::byte* blocks);

 private:
  float* column(int64_t j) { return weights_.data() + j * kStrip; }
  void choose_scales(int64_t first);
  double round_column(int64_t i, float* errors);
  void write_group(int64_t first, std::byte* blocks) const;
  /// Columns begin … end - 1 take the errors of `count` columns from `from` on.
  void pass_on(int64_t from, int64_t count, int64_t begin, int64_t end);

  const Feedback& feedback_;
  int64_t group_, batch_, rows_ = 0;
  std::vector<float> weights_;  // [width, kStrip]
  std::vector<float> errors_;   // [batch, kStrip]: rounded - exact
  std::vector<uint8_t> codes_;  // [kStrip, group]
  uint16_t scales_[kStrip] = {};
  float decoded_scales_[kStrip] = {};
  std::vector<float> row_;
  cb4::ScaleSearch search_;
};

void Strip::choose_scales(int64_t first) {
  row_.resize(size_of(group_));
  for (int64_t r = 0; r < rows_; ++r) {
    for (int64_t j = 0; j < group_; ++j) row_[size_of(j)] = column(first + j)[r];
    scales_[r] = search_.best(row_.data(), feedback_.importance.data() + first, group_);
    decoded_scales_[r] = from_f16(scales_[r]);
  }
}

/// Codes and errors of column i; rows past the last have no error.
double Strip::round_column(int64_t i, float* errors) {
  double sum = 0;
  const float* weights = column(i);
  for (int64_t r = 0; r < rows_; ++r) {
    const float scale = decoded_scales_[r];
    const uint8_t code = cb4::nearest(scale == 0 ? 0 : weights[r] / scale);
    codes_[size_of(r * group_ + i % group_)] = code;
    errors[r] = scale * static_cast<float>(cb4::kValues[code]) - weights[r];
    sum += static_cast<double>(errors[r]) * errors[r];
  }
  return sum * feedback_.importance[size_of(i)];
}

void Strip::write_group(int64_t first, std::byte* blocks) const {
  for (int64_t r = 0; r < rows_; ++r) {
    std::byte* out = blocks + r * cb4::row_bytes(feedback_.width) + cb4::row_bytes(first);
    for (int64_t j = 0; j < group_; j += cb4::kBlock, out += cb4::kBlockBytes) {
      cb4::write_block(scales_[r], codes_.data() + r * group_ + j, out);
    }
  }
}

void Strip::pass_on(int64_t from, int64_t count, int64_t begin, int64_t end) {
  const int64_t k = feedback_.width;
  kernels().ordered_product({.m = end - begin,
                             .n = kStrip,
                             .k = count,
                             .a = feedback_.ratio.data() + begin * k + from,
                             .a_row_stride = k,
                             .a_col_stride = 1,
                             .b = errors_.data() + from % batch_ * kStrip,
                             .b_row_stride = kStrip,
                             .c = column(begin),
                             .c_row_stride = kStrip,
                             .accumulate = true});
}

double Strip::round(View<const float> rows, std::byte* blocks) {
  rows_ = rows.rows;
  std::fill(errors_.begin(), errors_.end(), 0.0f);
  for (int64_t j = 0; j < rows.cols; ++j) {
    for (int64_t r = 0; r < kStrip; ++r) column(j)[r] = r < rows_ ? rows(r, j) : 0;
  }
  double error = 0;
  for (int64_t from = 0; from < rows.cols; from += batch_) {
    const int64_t end = std::min(from + batch_, rows.cols);
    for (int64_t i = from; i < end; ++i) {
      if (i % group_ == 0) choose_scales(i);
      error += round_column(i, errors_.data() + (i - from) * kStrip);
      pass_on(i, 1, i + 1, end);
      if ((i + 1) % group_ == 0) write_group(i + 1 - group_, blocks);
    }
    pass_on(from, end - from, end, rows.cols);
  }
  return error;
}

}  // namespace

HessianSum::HessianSum(int64_t width) : width_(width), sum_(size_of(width * width)) {}

void HessianSum::add(View<const float> x, ThreadPool& pool) {
  CUPEL_ASSERT(x.cols == width_);
  // Panels of columns stand alone, rows side by side: a row's stride would map them onto few sets
  // of the cache.
  constexpr int64_t kPanel = 32, kRows = 256;
  const int64_t panels = (width_ + kPanel - 1) / kPanel;
  std::vector<float> packed(size_of(panels * kRows * kPanel));
  const auto panel_at = [&](int64_t panel) { return packed.data() + panel * kRows * kPanel; };
  const auto cols_of = [&](int64_t panel) { return std::min(kPanel, width_ - panel * kPanel); };
  for (int64_t row = 0; row < x.rows; row += kRows) {
    const int64_t rows = std::min(kRows, x.rows - row);
    pool.parallel_for(panels, 1, [&](int64_t panel, int64_t) {
      for (int64_t i = 0; i < rows; ++i)
        std::copy_n(x.row(row + i) + panel * kPanel, cols_of(panel), panel_at(panel) + i * kPanel);
    });
    pool.parallel_for(panels, 1, [&](int64_t top, int64_t) {
      float products[kPanel * kPanel];
      for (int64_t left = top; left < panels; ++left) {
        kernels().ordered_product({.m = kPanel,
                                   .n = kPanel,
                                   .k = rows,
                                   .a = panel_at(top),
                                   .a_row_stride = 1,
                                   .a_col_stride = kPanel,
                                   .b = panel_at(left),
                                   .b_row_stride = kPanel,
                                   .c = products,
                                   .c_row_stride = kPanel,
                                   .accumulate = false});
        for (int64_t i = 0; i < cols_of(top); ++i) {
          double* sums = sum_.data() + (top * kPanel + i) * width_ + left * kPanel;
          for (int64_t j = 0; j < cols_of(left); ++j)
            sums[j] += 2 * static_cast<double>(products[i * kPanel + j]);
        }
      }
    });
  }
  rows_ += x.rows;
}

std::vector<float> HessianSum::mean_squares() const {
  std::vector<float> result(size_of(width_), 1.0f);
  for (int64_t i = 0; rows_ > 0 && i < width_; ++i) {
    const double diagonal = sum_[size_of(i * width_ + i)];
    result[size_of(i)] = static_cast<float>(diagonal / 2 / static_cast<double>(rows_));
  }
  return result;
}

GptqReport gptq(View<const float> weights, View<const double> hessian, const GptqSettings& settings,
                std::byte* blocks, ThreadPool& pool, const std::string& where) {
  const int64_t group = settings.group, k = weights.cols;
  CUPEL_ASSERT(group > 0 && group % cb4::kBlock == 0 && k % group == 0);
  CUPEL_ASSERT(hessian.rows == k && hessian.cols == k && settings.damping >= 0);
  cb4::check_weights(weights, where);
  const Feedback feedback = feedback_of(hessian, settings.damping, pool, where);
  const int64_t batch = group * std::max<int64_t>(kBatch / group, 1);  // whole groups
  std::vector<double> errors(size_of((weights.rows + kStrip - 1) / kStrip));
  pool.parallel_for(weights.rows, kStrip, [&](int64_t begin, int64_t end) {
    Strip strip(feedback, group, batch);
    errors[size_of(begin / kStrip)] = strip.round(
        {weights.row(begin), end - begin, k, weights.stride}, blocks + begin * cb4::row_bytes(k));
  });
  GptqReport report{.damping = feedback.damping, .dead_columns = feedback.dead_columns};
  for (const double error : errors) report.error += error / 2;
  return report;
}

}  // namespace cupel::compress
