// GPTQ: weights rounded to 4-bit codes column by column, what each rounding breaks mended in the
// columns still to come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/view.h"

namespace cupel::compress {

/// H = 2 · sum of x·xᵀ over the activations that a layer's weights multiply. [width,width] doubles.
class HessianSum {
 public:
  explicit HessianSum(int64_t width);

  /// Adds activations x[rows,width]. Products of 256 rows are summed in fp32 in order of rows,
  /// those sums in double: the bits depend on how rows are batched, not on threads or kernel row.
  void add(View<const float> x, ThreadPool& pool);

  int64_t rows() const { return rows_; }  // that were added
  /// Only the upper triangle counts; what is below the diagonal is not filled.
  View<const double> upper() const { return {sum_.data(), width_, width_, width_}; }
  /// The mean square of each activation, what cb4::quantise takes as importance; 1 without rows.
  std::vector<float> mean_squares() const;

 private:
  int64_t width_, rows_ = 0;
  std::vector<double> sum_;
};

struct GptqSettings {
  int64_t group = 32;     // items with one scale: a multiple of 32 that divides the columns
  double damping = 0.01;  // added to each item of the diagonal, as a share of it
};

struct GptqReport {
  double error = 0;  // sum over rows of (w - ŵ)ᵀ·H·(w - ŵ) / 2, H damped: ‖(W - Ŵ)·X‖²
  double damping = 0;        // that was used
  int64_t dead_columns = 0;  // whose activation was always 0
};

/// W[n,k] as cb4 blocks (n * cb4::row_bytes(k) bytes, as cb4::quantise writes them), chosen so that
/// the layer's output on the activations of H changes little (Frantar et al. 2023, algorithm 1).
/// Columns are rounded in order; with U = inverse_factor(H) the error e of column i moves column
/// j > i by -e · U(i,j) / U(i,i). A group gets its scale when its first column is reached, from the
/// weights as they are by then, by the error each column will cost, 1 / U(i,i)².
///
/// hessian[k,k]: the upper triangle is read. A column whose diagonal is 0 is dead: it is rounded to
/// nearest, counts for no scale, and moves nothing (the paper's code sets it to 0, which 4-bit
/// codes do not have). If H is not positive definite, damping grows tenfold until it is. The paper
/// damps by a share of the diagonal's mean; in language models a few columns are thousands of times
/// as large as the others (attention sinks) and make that mean, which drowns all others. Left out:
/// the order of columns by activation, which would scatter groups, and scales fixed beforehand.
/// Same bytes for any number of threads and on every kernel row. Memory: 12 bytes an item of H.
/// Error{data} of cb4::check_weights, and Error{numeric} for a Hessian that is not finite or that
/// no activations have; both name `where`.
GptqReport gptq(View<const float> weights, View<const double> hessian, const GptqSettings& settings,
                std::byte* blocks, ThreadPool& pool, const std::string& where);

}  // namespace cupel::compress
