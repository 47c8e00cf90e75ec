#include "kernels/dispatch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/error.h"

namespace cupel {
namespace {

TEST(KernelDispatch, AlwaysEndsWithTheScalarRow) {
  ASSERT_FALSE(available_rows().empty());
  EXPECT_STREQ(available_rows().back().name, "scalar");
}

TEST(KernelDispatch, ListsRowsInTheOrderOfTheirNames) {
  size_t at = 0;
  for (const Kernels& row : available_rows()) {
    while (at < row_names().size() && row_names()[at] != row.name) ++at;
    EXPECT_LT(at++, row_names().size()) << row.name << " is unknown or out of order";
  }
}

TEST(KernelDispatch, LeavesNoSlotEmpty) {
  for (const Kernels& row : available_rows()) {
    EXPECT_TRUE(row.gemm && row.to_16bit && row.from_16bit && row.adamw && row.sum_of_squares)
        << row.name;
    EXPECT_TRUE(row.rms_norm && row.rms_norm_backward && row.swiglu && row.swiglu_backward &&
                row.rope)
        << row.name;
    EXPECT_TRUE(row.layer_norm && row.add_bias && row.softmax && row.gemm_int8 && row.quantize_rows)
        << row.name;
    EXPECT_TRUE(row.attention && row.attention_backward && row.cross_entropy && row.minhash)
        << row.name;
  }
}

TEST(KernelDispatch, TakesTheFastestRowUnlessOneIsNamed) {
  EXPECT_EQ(&choose_row(nullptr, available_rows()), &available_rows().front());
  EXPECT_EQ(&choose_row("", available_rows()), &available_rows().front());
  for (const Kernels& row : available_rows())
    EXPECT_EQ(&choose_row(row.name, available_rows()), &row);
}

std::string refusal(const char* name, const std::vector<Kernels>& rows) {
  try {
    choose_row(name, rows);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    return error.what();
  }
  return "accepted";
}

TEST(KernelDispatch, RefusesAnUnknownRowAndListsTheOthers) {
  EXPECT_THAT(refusal("sse9", available_rows()),
              testing::AllOf(testing::HasSubstr("CUPEL_ISA"), testing::HasSubstr("sse9"),
                             testing::HasSubstr("scalar")));
}

TEST(KernelDispatch, RefusesARowThatTheMachineLacks) {
  const std::vector<Kernels> only_scalar = {available_rows().back()};
  EXPECT_THAT(refusal("avx512", only_scalar),
              testing::AllOf(testing::HasSubstr("cannot run kernel row avx512"),
                             testing::HasSubstr("one of scalar,")));
}

}  // namespace
}  // namespace cupel
