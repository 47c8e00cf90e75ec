#include "nn/llm/model_files.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"

namespace cupel::llm {
namespace {

const std::filesystem::path kModelFixtures =
    std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures";

TEST(ModelFiles, ReadBothFormatsBehindOneName) {
  const std::filesystem::path folder = kModelFixtures / "families/qwen3";
  const std::filesystem::path file = kModelFixtures / "gguf_files/qwen3.gguf";
  const ModelConfig a = model_config_of(folder);
  ModelConfig b = model_config_of(file);
  b.max_window_layers = a.max_window_layers;  // means nothing without a window; GGUF has no place
  EXPECT_EQ(json::dump(to_hf_json(a)), json::dump(to_hf_json(b)));
  EXPECT_EQ(tensors_of(folder, a).tensors.size(), tensors_of(file, b).tensors.size());
}

TEST(ModelFiles, NameTheFileThatIsMissing) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { model_config_of(folder.path()); },
              throws_error(ErrorKind::config, "config.json: cannot be opened"));
  EXPECT_THAT([&] { model_config_of(folder / "m.gguf"); },
              throws_error(ErrorKind::config, "m.gguf"));
}

}  // namespace
}  // namespace cupel::llm
