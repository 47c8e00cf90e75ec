#include "base/hash.h"

#include <gtest/gtest.h>

namespace cupel {
namespace {

TEST(Hash128, IsXxh3AndTellsTextsApart) {
  EXPECT_EQ(hash128(""), (Hash128{0x99aa06d3014798d8, 0x6001c324468d497f}));  // xxHash's own value
  EXPECT_NE(hash128("a"), hash128("b"));
  EXPECT_NE(hash128("a"), hash128(std::string_view("a\0", 2)));
}

}  // namespace
}  // namespace cupel
