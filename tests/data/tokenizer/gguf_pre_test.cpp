#include "data/tokenizer/gguf_pre.h"

#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "support/reference_loops.h"

namespace cupel {
namespace {

/// The first name of the row that cuts as this pre-tokenizer does.
std::string name_for(std::string_view pre_tokenizer) {
  const GgufPre* row = gguf_pre_of(PreTokenizer::parse(json::parse(pre_tokenizer, ""), ""));
  return row == nullptr ? "none" : std::string(row->names[0]);
}

std::string name_for_file(const std::string& file) {
  const json::Value root = json::parse(
      read_file(std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures" / file), file);
  return name_for(json::dump(root.at("pre_tokenizer", file)));
}

TEST(GgufPre, FindsTheNameOfEveryRowByItsWords) {
  for (const char* name :
       {"gpt-2", "deepseek-v3", "smollm", "llama-bpe", "qwen2", "deepseek-llm", "deepseek-coder"}) {
    if (kSanitized && std::string_view(name) == "smollm")
      break;  // one or several patterns: both seen
    ASSERT_NE(find_gguf_pre(name), nullptr) << name;
    EXPECT_EQ(name_for(json::dump(pre_tokenizer_json(*find_gguf_pre(name)))), name);
  }
}

TEST(GgufPre, FindsTheNameOfPublishedTokenizersHoweverTheySpellIt) {
  EXPECT_EQ(name_for_file("tokenizer/llama3.json"), "llama-bpe");
  if (kSanitized) return;
  EXPECT_EQ(name_for_file("tokenizer/gpt2.json"), "gpt-2");
  EXPECT_EQ(name_for_file("tokenizer/qwen2.json"), "qwen2");
  EXPECT_EQ(name_for_file("tokenizer_parts/deepseek.json"), "deepseek-v3");
  // SmolLM's own file has a step for digits instead of a pattern.
  EXPECT_EQ(name_for(R"({"type": "Sequence", "pretokenizers": [
      {"type": "Digits", "individual_digits": true},
      {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}]})"),
            "smollm");
}

TEST(GgufPre, FindsNoNameForWordsThatDifferInOneCharacter) {
  EXPECT_EQ(name_for(R"({"type": "ByteLevel", "add_prefix_space": true})"), "none");
  EXPECT_EQ(name_for(R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false})"),
            "none");
  // GPT-2's words, but that the letter U+2C65 stands alone.
  EXPECT_EQ(name_for(R"({"type": "Sequence", "pretokenizers": [
      {"type": "Split", "pattern": {"String": "\u2C65"}, "behavior": "Isolated"},
      {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}]})"),
            "none");
}

TEST(GgufPre, KnowsOtherNamesOfARow) {
  EXPECT_EQ(find_gguf_pre("llama3"), find_gguf_pre("llama-bpe"));
  EXPECT_EQ(find_gguf_pre(""), nullptr);
  EXPECT_EQ(find_gguf_pre("viking"), nullptr);
  EXPECT_TRUE(known_gguf_pres().starts_with("gpt-2, default, phi-2"));
}

}  // namespace
}  // namespace cupel
