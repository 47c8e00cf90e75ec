// Where a text may be cut so that its parts give the ids of the whole.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/rng.h"
#include "data/tokenizer/tokenizer.h"
#include "support/tokenizer_json.h"
#include "support/tokenizer_parts.h"

namespace cupel {
namespace {

/// Lines of words, numbers, marks and blanks in several scripts, as awkward as chance makes them.
std::string awkward_lines(Rng& rng, int pieces) {
  const std::vector<std::string> kPieces{"word",     "Wort",
                                         " ",        "  ",
                                         "\n",       "\n",
                                         "\n\n",     "\r\n",
                                         "\t",       "7",
                                         "1234567",  ".",
                                         "…!",       "'s",
                                         "'LL",      "ö",
                                         "o\u0308",  "\u0308",
                                         "中文",     "かな",
                                         "한",       "\u1112\u1161",
                                         "🙂",     "<|user|>",
                                         "_",        "\u00a0",
                                         "\u0001",   "ſ",
                                         "e\u0301t", "<|endoftext|>",
                                         "Ⅷ",        "\u200d",
                                         "\u2028"};
  std::string text;
  for (int i = 0; i < pieces; ++i) text += kPieces[rng.below(kPieces.size())];
  return text;
}

void expect_the_same_ids_from_parts(const Tokenizer& tokenizer) {
  Rng rng(5, "lines");
  int cuts = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string text = awkward_lines(rng, 2 + static_cast<int>(rng.below(30)));
    const std::size_t cut = tokenizer.last_cut(text);
    if (cut == 0) continue;
    ++cuts;
    std::vector<int32_t> ids = tokenizer.encode(text.substr(0, cut));
    const std::vector<int32_t> rest = tokenizer.encode(text.substr(cut));
    ids.insert(ids.end(), rest.begin(), rest.end());
    ASSERT_EQ(ids, tokenizer.encode(text)) << text << " cut at " << cut;
  }
  EXPECT_GT(cuts, 500);
}

TEST(TokenizerCut, ATextThatIsCutWhereItMayBeGivesTheIdsOfTheWhole) {
  for (const char* name : {"gpt2", "llama3", "qwen2"}) {
    SCOPED_TRACE(name);
    const auto file = std::string("tests/fixtures/tokenizer/") + name + ".json";
    expect_the_same_ids_from_parts(Tokenizer::load(std::filesystem::path(CUPEL_SOURCE_DIR) / file));
  }
  expect_the_same_ids_from_parts(Tokenizer::load(tokenizer_parts() / "deepseek.json"));
}

TEST(TokenizerCut, WhereItsRulesDoNotTellATextIsNotCut) {
  EXPECT_EQ(Tokenizer::load(tokenizer_parts() / "deepseek.json").last_cut("one\ntwo three"), 4u);
  for (const char* name : {"metaspace.json", "sentencepiece.json"})
    EXPECT_EQ(Tokenizer::load(tokenizer_parts() / name).last_cut("one\ntwo three"), 0u) << name;
  const auto cut_with = [](const std::string& key, const std::string& value) {
    json::Value root = tokenizer_json();
    root.set(key, json::parse(value, "test"));
    return Tokenizer::parse(json::dump(root), "t").last_cut("one\ntwo three");
  };
  EXPECT_EQ(cut_with("normalizer", "null"), 4u);
  EXPECT_EQ(cut_with("normalizer", R"({"type": "NFC"})"), 4u);
  EXPECT_EQ(cut_with("normalizer", R"({"type": "NFKC"})"), 0u);
  EXPECT_EQ(cut_with("pre_tokenizer",
                     R"({"type": "ByteLevel", "add_prefix_space": true, "use_regex": true})"),
            0u);
  EXPECT_EQ(cut_with("pre_tokenizer",
                     R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false})"),
            0u);
}

TEST(TokenizerCut, ALineMayBeCutOffOnlyBetweenALetterAndWhatIsNoBlank) {
  EXPECT_EQ(last_line_cut("one\ntwo\nthree"), 8u);
  EXPECT_EQ(last_line_cut("one.\nÖl"), 5u);
  EXPECT_EQ(last_line_cut("中\n文"), 4u);
  for (const char* text : {"", "\n", "one", "\none", "one\n", "one\n\ntwo", "one \ntwo",
                           "one\r\ntwo", "one\u00a0\ntwo", "one\n2", "one\n two", "one\n\u0301two"})
    EXPECT_EQ(last_line_cut(text), 0u) << text;
}

}  // namespace
}  // namespace cupel
