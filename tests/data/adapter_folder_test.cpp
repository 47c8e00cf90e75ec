#include "data/adapter_folder.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"

namespace cupel {
namespace {

/// Folder `adapter` with that base model in its configuration.
std::filesystem::path write_adapter(const TemporaryFolder& folder, const std::string& base) {
  return folder
      .write("adapter/adapter_config.json",
             json::dump(json::Object{{"base_model_name_or_path", base}}))
      .parent_path();
}

TEST(AdapterFolder, IsOneOnlyWithoutWeightsOfItsOwn) {
  const TemporaryFolder folder;
  const auto adapter = write_adapter(folder, "base");
  EXPECT_TRUE(is_adapter(adapter));
  folder.write("adapter/config.json", "{}");  // axolotl leaves one beside
  EXPECT_TRUE(is_adapter(adapter));
  folder.write("adapter/model.safetensors", "");
  EXPECT_FALSE(is_adapter(adapter));
  EXPECT_FALSE(is_adapter(folder.path()));
  EXPECT_FALSE(is_adapter(folder.write("model.gguf", "GGUF")));
}

TEST(AdapterFolder, FindsItsBaseModelByAPathFromItself) {
  const TemporaryFolder folder;
  folder.write("base/config.json", "{}");
  EXPECT_EQ(base_of_adapter(write_adapter(folder, (folder / "base").string())), folder / "base");
  EXPECT_EQ(base_of_adapter(write_adapter(folder, "../base")), folder / "base");
}

TEST(AdapterFolder, TellsThatTheBaseModelIsNotThere) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { base_of_adapter(write_adapter(folder, "nowhere")); },
              throws_error(ErrorKind::config,
                           "adapter_config.json: base_model_name_or_path: no such file or folder: "
                           "nowhere; write the base model's path there"));
  EXPECT_THAT(
      [&] { base_of_adapter(write_adapter(folder, "nobody/nothing-at-all")); },
      throws_error(
          ErrorKind::config,
          "it is not where scripts/setup --models puts models, nor in the Hugging Face cache"));
  EXPECT_THAT([&] { base_of_adapter(write_adapter(folder, "")); },
              throws_error(ErrorKind::data, "names no model"));
}

TEST(AdapterFolder, RefusesAnAdapterOfAnAdapter) {
  const TemporaryFolder folder;
  folder.write("other/adapter_config.json", "{}");
  EXPECT_THAT(
      [&] { base_of_adapter(write_adapter(folder, "../other")); },
      throws_error(ErrorKind::data, "is an adapter itself; merge that one by cupel export"));
}

TEST(AdapterFolder, TakesAFileOfItsOwnBeforeThatOfItsBaseModel) {
  const TemporaryFolder folder;
  folder.write("base/tokenizer.json", "{}");
  const auto adapter = write_adapter(folder, "../base");
  EXPECT_EQ(file_of_model(adapter, "tokenizer.json"), folder / "base/tokenizer.json");
  folder.write("adapter/tokenizer.json", "{}");
  EXPECT_EQ(file_of_model(adapter, "tokenizer.json"), adapter / "tokenizer.json");
  EXPECT_EQ(file_of_model(folder / "base", "none.json"), folder / "base/none.json");
}

}  // namespace
}  // namespace cupel
