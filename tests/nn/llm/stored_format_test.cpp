#include "nn/llm/stored_format.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace cupel::llm {
namespace {

TEST(StoredFormat, IsThatOfTheFilesMatrices) {
  const std::filesystem::path fixtures = std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures";
  EXPECT_EQ(stored_format(fixtures / "llama_tiny/default").layers.linear,
            nn::LinearFormat::element);
  const DecoderFormat coded = w4a8_format(64);
  EXPECT_EQ(coded.layers.linear, nn::LinearFormat::cb4);
  EXPECT_EQ(coded.layers.group, 64);
  EXPECT_EQ(coded.head.linear, nn::LinearFormat::int8);
}

}  // namespace
}  // namespace cupel::llm
