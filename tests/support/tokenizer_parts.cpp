#include "support/tokenizer_parts.h"

namespace cupel {

std::filesystem::path tokenizer_parts() {
  return std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures/tokenizer_parts";
}

}  // namespace cupel
