#include <bit>

#include "kernels/every_row.h"

namespace cupel {
namespace {

class OrderedProduct : public EveryRow {};

/// Of the scalar row, its definition: products rounded, then added one by one.
float by_definition(const OrderedProductArgs& args, const Floats& c, int64_t i, int64_t j) {
  volatile float sum = args.accumulate ? c[i * args.c_row_stride + j] : 0.0f;
  for (int64_t p = 0; p < args.k; ++p) {
    volatile float product =
        args.a[i * args.a_row_stride + p * args.a_col_stride] * args.b[p * args.b_row_stride + j];
    sum = sum + product;
  }
  return sum;
}

TEST_P(OrderedProduct, HasTheBitsOfItsDefinition) {
  for (const int64_t m : {1, 4, 7}) {
    for (const int64_t n : {1, 8, 15, 16, 31, 33, 64}) {
      for (const bool transposed : {false, true}) {
        for (const bool accumulate : {false, true}) {
          const int64_t k = 19;
          const Floats a(m * k, 1), b(k * (n + 3), 2);
          Floats c(m * (n + 5), 3);
          const Floats before = c;
          const OrderedProductArgs args = {.m = m,
                                           .n = n,
                                           .k = k,
                                           .a = a.data(),
                                           .a_row_stride = transposed ? 1 : k,
                                           .a_col_stride = transposed ? m : 1,
                                           .b = b.data(),
                                           .b_row_stride = n + 3,
                                           .c = c.data(),
                                           .c_row_stride = n + 5,
                                           .accumulate = accumulate};
          row->ordered_product(args);
          for (int64_t i = 0; i < m; ++i) {
            for (int64_t j = 0; j < n + 5; ++j) {
              const float expected =
                  j < n ? by_definition(args, before, i, j) : before[i * (n + 5) + j];
              ASSERT_EQ(std::bit_cast<uint32_t>(c[i * (n + 5) + j]),
                        std::bit_cast<uint32_t>(expected))
                  << m << " x " << n << ", element " << i << ", " << j;
            }
          }
          EXPECT_TRUE(c.guarded());
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, OrderedProduct, every_row_name(), row_label);

}  // namespace
}  // namespace cupel
