#include "support/decoder_fixture.h"

namespace cupel::llm {

std::filesystem::path fixture_folder(const std::string& name) {
  return std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures" / name;
}

}  // namespace cupel::llm
