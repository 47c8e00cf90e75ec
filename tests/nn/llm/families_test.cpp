#include "nn/llm/families.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "nn/llm/config.h"

namespace cupel::llm {
namespace {

TEST(Families, EachIsFoundByItsNameAndNamedOnce) {
  std::set<std::string_view> names, architectures;
  for (const Family& family : kFamilies) {
    EXPECT_EQ(find_family(family.name), &family);
    EXPECT_TRUE(names.insert(family.name).second);
    EXPECT_TRUE(architectures.insert(family.architecture).second);
    EXPECT_NE(known_families().find(family.name), std::string::npos);
  }
}

TEST(Families, AnotherNameIsNone) {
  for (const char* name : {"", "Llama", "llama2", "lla", "deepseek_v3 "}) {
    EXPECT_EQ(find_family(name), nullptr) << name;
  }
}

TEST(Families, TheListIsOneSentence) {
  EXPECT_EQ(known_families(), "deepseek_v2, deepseek_v3, llama, mistral, qwen2, qwen3, qwen3_moe");
}

TEST(Families, SettingsAreFieldsOfTheConfigAndFoundAsWholeWords) {
  std::set<std::string> fields, named;
  for_each_field<ModelConfig>([&](const auto& field) { fields.emplace(field.name); });
  for (const Family& family : kFamilies) {
    std::istringstream words{std::string(family.settings)};
    for (std::string word; words >> word; named.insert(word)) {
      EXPECT_TRUE(fields.contains(word)) << word;
      EXPECT_TRUE(family.has(word)) << word;
      EXPECT_TRUE(tells_families_apart(word)) << word;
      EXPECT_FALSE(family.has(word.substr(0, word.size() - 1))) << word;
    }
  }
  EXPECT_GT(named.size(), 15u);
  EXPECT_FALSE(tells_families_apart("hidden_size"));
  EXPECT_FALSE(find_family("qwen2")->has("attention_bias"));
}

TEST(Families, DefaultsAreSettingsThatTheFamilyReads) {
  for (const Family& family : kFamilies) {
    const json::Value defaults = json::parse(family.defaults, family.name);
    for (const auto& [key, value] : defaults.as_object(family.name)) {
      EXPECT_TRUE(family.has(key) || key == "max_position_embeddings" || key == "topk_method" ||
                  key == "use_sliding_window")
          << family.name << " " << key;
    }
  }
}

}  // namespace
}  // namespace cupel::llm
