#include "base/linalg.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/rng.h"
#include "support/reference_loops.h"

namespace cupel {
namespace {

/// A matrix of its own inside a wider one, so that its stride is not its width.
struct Square {
  explicit Square(int64_t size, int64_t columns = -1)
      : items(static_cast<std::size_t>(size * ((columns < 0 ? size : columns) + 3)), 7.0),
        view{items.data(), size, columns < 0 ? size : columns, (columns < 0 ? size : columns) + 3} {
  }
  Square(const Square& other) : items(other.items), view(other.view) { view.data = items.data(); }
  Square& operator=(const Square&) = delete;
  double& operator()(int64_t i, int64_t j) { return view(i, j); }
  double operator()(int64_t i, int64_t j) const { return view(i, j); }
  View<const double> read() const { return {items.data(), view.rows, view.cols, view.stride}; }
  std::vector<double> items;
  View<double> view;
};

Square random_matrix(int64_t rows, int64_t cols, uint64_t seed) {
  Square result(rows, cols);
  Rng rng(seed, "linalg");
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) result(i, j) = rng.normal();
  }
  return result;
}

/// The product of the rows of a with the rows of b: a·bᵀ.
Square row_products(const Square& a, const Square& b) {
  Square result(a.view.rows, b.view.rows);
  for (int64_t i = 0; i < a.view.rows; ++i) {
    for (int64_t j = 0; j < b.view.rows; ++j)
      result(i, j) =
          dot(a.view.data + i * a.view.stride, b.view.data + j * b.view.stride, a.view.cols);
  }
  return result;
}

/// Symmetric and positive definite: G·Gᵀ / (n + 8) + 0.1.
Square random_definite(int64_t size, uint64_t seed) {
  const Square g = random_matrix(size, size + 8, seed);
  Square result = row_products(g, g);
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t j = 0; j < size; ++j) {
      result(i, j) = result(i, j) / static_cast<double>(size + 8) + (i == j ? 0.1 : 0);
    }
  }
  return result;
}

Square turned(const Square& a) {
  Square result(a.view.cols, a.view.rows);
  for (int64_t i = 0; i < a.view.rows; ++i) {
    for (int64_t j = 0; j < a.view.cols; ++j) result(j, i) = a(i, j);
  }
  return result;
}

double distance(const Square& a, const Square& b) {
  double largest = 0;
  for (int64_t i = 0; i < a.view.rows; ++i) {
    for (int64_t j = 0; j < a.view.cols; ++j) {
      const double difference = std::abs(a(i, j) - b(i, j));
      largest = difference <= largest ? largest : difference;  // NaN is kept
    }
  }
  return largest;
}

/// How far a·b is from the identity.
double distance_from_identity(const Square& a, const Square& b) {
  Square identity(a.view.rows);
  for (int64_t i = 0; i < a.view.rows; ++i) {
    for (int64_t j = 0; j < a.view.rows; ++j) identity(i, j) = i == j ? 1 : 0;
  }
  return distance(row_products(a, turned(b)), identity);
}

/// Nothing but the matrix itself may be written.
void expect_margin_untouched(const Square& a) {
  for (int64_t i = 0; i < a.view.rows; ++i) {
    for (int64_t j = a.view.cols; j < a.view.stride; ++j) {
      ASSERT_EQ(a.items[static_cast<std::size_t>(i * a.view.stride + j)], 7.0);
    }
  }
}

constexpr int64_t kSizes[] = {1, 2, 5, 63, 64, 65, 130, 200};

TEST(Linalg, CholeskysFactorTimesItsTransposeIsTheMatrix) {
  ThreadPool pool(2);
  for (const int64_t size : kSizes) {
    const Square a = random_definite(size, 1);
    Square l = a;
    for (int64_t i = 0; i < size; ++i) {
      for (int64_t j = i + 1; j < size; ++j) l(i, j) = std::nan("");  // never read
    }
    ASSERT_FALSE(cholesky(l.view, pool)) << size;
    EXPECT_LT(distance(row_products(l, l), a), 1e-13) << size;
    for (int64_t i = 0; i < size; ++i) {
      EXPECT_GT(l(i, i), 0);
      for (int64_t j = i + 1; j < size; ++j) ASSERT_EQ(l(i, j), 0);
    }
    expect_margin_untouched(l);
  }
}

TEST(Linalg, CholeskyNamesTheFirstPivotThatIsNotPositive) {
  ThreadPool pool(1);
  const Square good = random_definite(150, 2);
  for (const int64_t bad : {0, 3, 63, 64, 149}) {
    for (const double value : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
      Square a = good;
      a(bad, bad) = value;
      EXPECT_EQ(cholesky(a.view, pool), bad) << value;
    }
    Square a = good;
    a(bad, bad) = -1;
    EXPECT_EQ(inverse_factor(a.view, pool), bad);
  }
}

TEST(Linalg, AMatrixOfLowerRankIsNotPositiveDefinite) {
  ThreadPool pool(1);
  Square ones(3);
  for (int64_t i = 0; i < 3; ++i) {
    for (int64_t j = 0; j < 3; ++j) ones(i, j) = 1;
  }
  EXPECT_EQ(cholesky(ones.view, pool), 1);
}

TEST(Linalg, SolvesForManyRightHandSides) {
  ThreadPool pool(2);
  for (const int64_t size : kSizes) {
    const Square a = random_definite(size, 3);
    Square l = a;
    ASSERT_FALSE(cholesky(l.view, pool));
    for (const int64_t columns : {1, 9, 70}) {
      const Square x = random_matrix(size, columns, 4), x_rows = turned(x);
      Square b = row_products(l, x_rows);
      solve_lower(l.read(), b.view, pool);
      EXPECT_LT(distance(b, x), 1e-11) << size << " x " << columns;
      Square c = row_products(turned(l), x_rows);
      solve_lower_transposed(l.read(), c.view, pool);
      EXPECT_LT(distance(c, x), 1e-11) << size << " x " << columns;
      Square d = row_products(a, x_rows);
      cholesky_solve(l.read(), d.view, pool);
      EXPECT_LT(distance(d, x), 1e-11) << size << " x " << columns;
      expect_margin_untouched(d);
    }
  }
}

TEST(Linalg, InversesTimesWhatTheyInvertAreTheIdentity) {
  ThreadPool pool(2);
  for (const int64_t size : kSizes) {
    const Square a = random_definite(size, 5);
    Square l = a;
    ASSERT_FALSE(cholesky(l.view, pool));
    Square lower = l, inverse = l;
    invert_lower(lower.view, pool);
    EXPECT_LT(distance_from_identity(lower, l), 1e-12) << size;
    cholesky_inverse(inverse.view, pool);
    EXPECT_LT(distance_from_identity(inverse, a), 1e-11) << size;
    EXPECT_EQ(distance(inverse, turned(inverse)), 0) << size;
    expect_margin_untouched(inverse);
  }
}

TEST(Linalg, TheInversesFactorIsUpperAndReadsTheUpperTriangle) {
  ThreadPool pool(2);
  for (const int64_t size : kSizes) {
    const Square a = random_definite(size, 6);
    Square u = a;
    for (int64_t i = 0; i < size; ++i) {
      for (int64_t j = 0; j < i; ++j) u(i, j) = std::nan("");  // never read
    }
    ASSERT_FALSE(inverse_factor(u.view, pool)) << size;
    const Square u_columns = turned(u);
    EXPECT_LT(distance_from_identity(row_products(u_columns, u_columns), a), 1e-11) << size;
    for (int64_t i = 0; i < size; ++i) {
      EXPECT_GT(u(i, i), 0);
      for (int64_t j = 0; j < i; ++j) ASSERT_EQ(u(i, j), 0);
    }
    expect_margin_untouched(u);
  }
}

TEST(Linalg, IllConditionedMatricesKeepASmallResidual) {
  ThreadPool pool(1);
  constexpr int64_t kSize = 12;  // Hilbert's matrix: condition 1.7e16, definite all the same
  Square hilbert(kSize);
  for (int64_t i = 0; i < kSize; ++i) {
    for (int64_t j = 0; j < kSize; ++j) hilbert(i, j) = 1.0 / static_cast<double>(i + j + 1);
  }
  Square l = hilbert;
  ASSERT_FALSE(cholesky(l.view, pool));
  EXPECT_LT(distance(row_products(l, l), hilbert), 1e-15);
}

TEST(Linalg, OneTwoAndThreeThreadsGiveTheSameBits) {
  const Square a = random_definite(200, 7), right = random_matrix(200, 150, 8);
  std::vector<std::vector<double>> results;
  for (const int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    Square l = a, b = right, u = a;
    ASSERT_FALSE(cholesky(l.view, pool));
    cholesky_solve(l.read(), b.view, pool);
    ASSERT_FALSE(inverse_factor(u.view, pool));
    cholesky_inverse(l.view, pool);
    std::vector<double> all = l.items;
    all.insert(all.end(), b.items.begin(), b.items.end());
    all.insert(all.end(), u.items.begin(), u.items.end());
    results.push_back(all);
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

}  // namespace
}  // namespace cupel
