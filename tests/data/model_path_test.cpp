#include "data/model_path.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "support/errors.h"
#include "support/files.h"

namespace cupel {
namespace {

/// A cache of its own, named by HF_HUB_CACHE while it lives.
class ModelPath : public testing::Test {
 protected:
  ModelPath() {
    for (const char* name : {"HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "CUPEL_HOME", "HOME"}) {
      const char* value = std::getenv(name);
      before_.emplace_back(name,
                           value == nullptr ? std::nullopt : std::optional<std::string>(value));
      unsetenv(name);
    }
    set("HF_HUB_CACHE", cache_.path().string());
  }
  ~ModelPath() override {
    for (const auto& [name, value] : before_) value ? set(name, *value) : void(unsetenv(name));
  }
  static void set(const char* name, const std::string& value) {
    setenv(name, value.c_str(), /*overwrite=*/1);
  }

  TemporaryFolder cache_;

 private:
  std::vector<std::pair<const char*, std::optional<std::string>>> before_;
};

TEST_F(ModelPath, TellsNamesFromPaths) {
  for (const char* name : {"org/name", "Qwen/Qwen3-0.6B", "a_b/c.d"})
    EXPECT_TRUE(is_hub_name(name));
  for (const char* path : {"name", "/org/name", "./name", "../name", "a/b/c", "org/", "a b/c", ""})
    EXPECT_FALSE(is_hub_name(path)) << path;
}

TEST_F(ModelPath, LooksWhereHuggingFacesToolsKeepTheirCache) {
  EXPECT_EQ(hub_cache(), cache_.path());
  unsetenv("HF_HUB_CACHE");
  set("HOME", "/home/a");
  EXPECT_EQ(hub_cache(), "/home/a/.cache/huggingface/hub");
  set("XDG_CACHE_HOME", "/cache");
  EXPECT_EQ(hub_cache(), "/cache/huggingface/hub");
  set("HF_HOME", "/hf");
  EXPECT_EQ(hub_cache(), "/hf/hub");
}

TEST_F(ModelPath, FindsWhatSetupFetchedByTheNameWithoutItsOrganisation) {
  const TemporaryFolder home;
  home.write("models/small/config.json", "{}");
  home.write("models/packed/packed.gguf", "");
  set("CUPEL_HOME", home.path().string());
  EXPECT_EQ(find_cached_model("org/small"), home / "models/small");
  EXPECT_EQ(find_cached_model("org/packed"), home / "models/packed/packed.gguf");
  EXPECT_EQ(find_cached_model("org/other"), std::nullopt);
  cache_.write("models--org--small/snapshots/abc/config.json", "{}");
  EXPECT_EQ(find_cached_model("org/small"), cache_ / "models--org--small/snapshots/abc");
  unsetenv("CUPEL_HOME");
  set("HOME", home.path().string());
  EXPECT_EQ(find_cached_model("org/other"), std::nullopt);
  home.write(".cache/cupel/models/other/config.json", "{}");
  EXPECT_EQ(find_cached_model("org/other"), home / ".cache/cupel/models/other");
}

TEST_F(ModelPath, FollowsTheMainReferenceToItsSnapshot) {
  cache_.write("models--org--name/snapshots/abc/config.json", "{}");
  cache_.write("models--org--name/snapshots/def/config.json", "{}");
  cache_.write("models--org--name/refs/main", "def\n");
  const auto found = cache_ / "models--org--name/snapshots/def";
  EXPECT_EQ(find_cached_model("org/name"), found);
  EXPECT_EQ(resolve_model("org/name"), found);
  EXPECT_EQ(find_cached_model("org/other"), std::nullopt);
}

TEST_F(ModelPath, TakesTheOnlySnapshotAndRefusesToChoose) {
  cache_.write("models--a--b/snapshots/abc/config.json", "{}");
  EXPECT_EQ(find_cached_model("a/b"), cache_ / "models--a--b/snapshots/abc");
  cache_.write("models--a--b/snapshots/def/config.json", "{}");
  EXPECT_THAT([] { find_cached_model("a/b"); },
              throws_error(ErrorKind::config, "has 2 snapshots and no refs/main that names one"));
  cache_.write("models--a--b/refs/main", "../../elsewhere");
  EXPECT_THAT([] { find_cached_model("a/b"); },
              throws_error(ErrorKind::config, "no refs/main that names one"));
}

TEST_F(ModelPath, TakesTheOnlyGgufFileOfASnapshotWithoutConfig) {
  cache_.write("models--a--b/snapshots/abc/m.gguf", "GGUF");
  cache_.write("models--a--b/snapshots/abc/README.md", "");
  EXPECT_EQ(find_cached_model("a/b"), cache_ / "models--a--b/snapshots/abc/m.gguf");
  cache_.write("models--a--b/snapshots/abc/n.gguf", "GGUF");
  EXPECT_THAT([] { find_cached_model("a/b"); },
              throws_error(ErrorKind::config, "abc: holds several models: m.gguf, n.gguf"));
}

TEST_F(ModelPath, CallsASnapshotByTheNameOfItsModel) {
  EXPECT_EQ(model_name("/hub/models--org--name/snapshots/abc"), "org/name");
  EXPECT_EQ(model_name("/hub/models--org--name/snapshots/abc/"), "org/name");
  EXPECT_EQ(model_name("/my/snapshots/abc"), "abc");
  EXPECT_EQ(model_name("all-MiniLM-L6-v2/"), "all-MiniLM-L6-v2");
}

TEST_F(ModelPath, PrefersWhatLiesThereUnderThatPath) {
  const TemporaryFolder folder;
  EXPECT_EQ(resolve_model(folder.path().string()), folder.path());
}

TEST_F(ModelPath, TellsWhereItLookedAndWhatIsThere) {
  const std::string cache = cache_.path().string();
  EXPECT_EQ(describe_hub_cache(),
            "it is not where scripts/setup --models puts models, nor in the Hugging Face cache " +
                cache + ", which has no model");
  cache_.write("models--a--b--c/refs/main", "");
  cache_.write("models--gpt2/refs/main", "");
  cache_.write("datasets--x--y/refs/main", "");
  EXPECT_THAT([] { resolve_model("org/name"); },
              throws_exactly(ErrorKind::config,
                             "org/name: no such file or folder; it is not where scripts/setup "
                             "--models puts models, nor in the Hugging Face cache " +
                                 cache + ", which has a/b--c, gpt2"));
  EXPECT_THAT(
      [] { resolve_model("/no/such/folder"); },
      throws_exactly(ErrorKind::config, "/no/such/folder: no such file or folder; check the path"));
  for (int i = 10; i < 30; ++i) cache_.write("models--o--" + std::to_string(i) + "/x", "");
  EXPECT_NE(describe_hub_cache().find("o/17 and 12 more"), std::string::npos)
      << describe_hub_cache();
  set("HF_HUB_CACHE", cache + "/none");
  EXPECT_NE(describe_hub_cache().find("none, which is not there"), std::string::npos);
}

}  // namespace
}  // namespace cupel
