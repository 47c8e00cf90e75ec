#include "base/hash.h"

#include <gtest/gtest.h>

#include <string>

namespace cupel {
namespace {

TEST(Hash128, IsXxh3AndTellsTextsApart) {
  EXPECT_EQ(hash128(""), (Hash128{0x99aa06d3014798d8, 0x6001c324468d497f}));  // xxHash's own value
  EXPECT_NE(hash128("a"), hash128("b"));
  EXPECT_NE(hash128("a"), hash128(std::string_view("a\0", 2)));
}

TEST(Hash128, OfATextInPartsIsThatOfTheWhole) {
  const std::string text(1000, 'x');
  Hasher128 hash;
  for (std::size_t at = 0; at < text.size(); at += 300)
    hash.add(std::string_view(text).substr(at, 300));
  EXPECT_EQ(hash.value(), hash128(text));
  hash.add("y");
  EXPECT_EQ(hash.value(), hash128(text + "y"));
}

}  // namespace
}  // namespace cupel
