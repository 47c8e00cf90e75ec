#include "nn/bridge_nn.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/tensors_nn.h"

namespace cupel::nn {
namespace {

/// Runs the body with so many threads and then sets them back.
template <class Body>
auto with_threads(int threads, const Body& body) {
  const int before = at::get_num_threads();
  at::set_num_threads(threads);
  auto result = body();
  at::set_num_threads(before);
  return result;
}

TEST(Bridge, ReadsATensorWhereItLies) {
  const at::Tensor x = random_tensor({2, 3, 4}, 1);
  const Matrix matrix = matrix_of(x);
  EXPECT_EQ(matrix.data, x.const_data_ptr());
  EXPECT_EQ(matrix.rows, 6);
  EXPECT_EQ(matrix.cols, 4);
  const Matrix part = matrix.row_range(2, 3).col_range(1, 2).transposed();
  EXPECT_EQ(part.rows, 2);
  EXPECT_EQ(part.cols, 3);
  EXPECT_EQ(*static_cast<float*>(part.data), x[0][2][1].item<float>());
}

TEST(Bridge, RefusesRowsThatAreNotEvenlySpaced) {
  const at::Tensor x = random_tensor({4, 3, 5}, 1).narrow(1, 0, 2);
  EXPECT_THAT([&] { matrix_of(x); }, throws_error(ErrorKind::bug, "stride"));
}

TEST(Bridge, MultipliesToTheSameBitsOnAnyNumberOfThreads) {
  for (const auto& [m, k, n] : std::vector<std::array<int64_t, 3>>{
           {300, 70, 130}, {17, 500, 1}, {1, 33, 257}, {130, 1, 64}}) {
    const at::Tensor a = random_tensor({m, k}, 1), b = random_tensor({k, n}, 2);
    const auto product = [&, rows = m, cols = n] {
      at::Tensor c = at::empty({rows, cols}, at::kFloat);
      multiply(matrix_of(a), matrix_of(b), matrix_of(c));
      return c;
    };
    const at::Tensor one = with_threads(1, product);
    EXPECT_LE(relative_gap(one, at::matmul(a.to(at::kDouble), b.to(at::kDouble))), 1e-5);
    for (const int threads : {2, 3}) EXPECT_TRUE(at::equal(with_threads(threads, product), one));
  }
}

TEST(Bridge, AddsToWhatIsThereIfAsked) {
  const at::Tensor a = random_tensor({40, 30}, 1), b = random_tensor({30, 50}, 2);
  at::Tensor c = at::ones({40, 50}, at::kFloat);
  multiply(matrix_of(a), matrix_of(b), matrix_of(c), true);
  EXPECT_LE(relative_gap(c, at::matmul(a, b) + 1), 1e-5);
}

TEST(Bridge, CutsRowsIntoPiecesThatDependOnTheirNumberAlone) {
  const auto pieces_with = [](int threads) {
    return with_threads(threads, [] {
      std::vector<std::array<int64_t, 2>> pieces(static_cast<std::size_t>(row_pieces(1000)));
      for_row_pieces(1000, [&](int64_t piece, int64_t begin, int64_t end) {
        pieces[static_cast<std::size_t>(piece)] = {begin, end};
      });
      return pieces;
    });
  };
  EXPECT_EQ(pieces_with(1), pieces_with(3));
  EXPECT_EQ(pieces_with(1).back()[1], 1000);
}

TEST(Bridge, ConvertsSixteenBitRowsBothWays) {
  const at::Tensor x = random_tensor({5, 7}, 1).to(at::kBFloat16);
  at::Tensor y = at::zeros({5, 7}, at::kBFloat16);
  Scratch scratch;
  int64_t stride = 0;
  const float* rows = load_rows(matrix_of(x), 1, 3, scratch, &stride);
  EXPECT_EQ(rows[stride + 2], x[2][2].item<float>());
  float* out = rows_to_write(matrix_of(y), 1, 3, scratch, &stride);
  std::copy(rows, rows + 3 * stride, out);
  store_rows(out, matrix_of(y), 1, 3);
  EXPECT_TRUE(at::equal(y.narrow(0, 1, 3), x.narrow(0, 1, 3)));
  EXPECT_EQ(y[0].abs().sum().item<float>() + y[4].abs().sum().item<float>(), 0);
}

TEST(Scratch, LendsAlignedBlocksAndTakesThemBack) {
  void* first = nullptr;
  {
    Scratch scratch;
    first = scratch.bytes(1000);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % 64, 0u);
    EXPECT_NE(scratch.bytes(1000), first);
  }
  Scratch again;
  void* second = again.bytes(900);
  void* third = again.bytes(900);
  EXPECT_TRUE(second == first || third == first);
}

}  // namespace
}  // namespace cupel::nn
