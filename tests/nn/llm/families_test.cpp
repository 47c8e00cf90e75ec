#include "nn/llm/families.h"

#include <gtest/gtest.h>

#include <set>

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

TEST(Families, TheListIsOneSentence) { EXPECT_EQ(known_families(), "deepseek_v3, llama"); }

}  // namespace
}  // namespace cupel::llm
