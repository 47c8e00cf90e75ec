#include "data/tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/atomic_file.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/tokenizer_json.h"
#include "support/tokenizer_parts.h"

namespace cupel {
namespace {

using testing::ElementsAre;
using Ids = std::vector<int32_t>;

const std::filesystem::path kTokenizerFixtures =
    std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures/tokenizer";

Tokenizer parse_tokenizer(const json::Value& root, const std::string& config = "") {
  return Tokenizer::parse(json::dump(root), "m/tokenizer.json", config);
}

Ids ids_of(const json::Value& list) {
  Ids ids;
  for (const json::Value& id : list.as_array(""))
    ids.push_back(static_cast<int32_t>(id.as_int("")));
  return ids;
}

/// Setting `key` to `value` makes the file one that is refused with this message.
auto refuses_tokenizer(const std::string& key, const std::string& value,
                       const std::string& message) {
  return testing::Matches(throws_error(ErrorKind::data, message))(std::function<void()>([=] {
    json::Value root = tokenizer_json();
    root.set(key, json::parse(value, "test"));
    parse_tokenizer(root);
  }));
}

class Reference : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Tokenizers, Reference, testing::Values("gpt2", "llama3", "qwen2"));

TEST_P(Reference, EncodesAndDecodesAwkwardTextsAlike) {
  const std::string name = GetParam();
  const Tokenizer tokenizer = Tokenizer::load(kTokenizerFixtures / (name + ".json"));
  const json::Value expected =
      json::parse(read_file(kTokenizerFixtures / (name + "_expected.json")), "expected");
  int cases = 0;
  for (int round = 0; round < 2; ++round) {  // the second one finds its words in the cache
    for (const json::Value& sample : expected.at("cases", "").as_array("")) {
      const std::string& text = sample.at("text", "").as_string("");
      const Ids ids = tokenizer.encode(text);
      EXPECT_EQ(ids, ids_of(sample.at("ids", ""))) << text;
      EXPECT_EQ(tokenizer.encode(text, true), ids_of(sample.at("ids_with_special", ""))) << text;
      EXPECT_EQ(tokenizer.decode(ids), sample.at("decoded", "").as_string("")) << text;
      ++cases;
    }
  }
  EXPECT_GT(cases, 80);
}

TEST_P(Reference, BytesOfTokensJoinToTheText) {
  const Tokenizer tokenizer =
      Tokenizer::load(kTokenizerFixtures / (std::string(GetParam()) + ".json"));
  const std::string text = "Speak, 中文 😀 \x01\t<|user|> <|endoftext|>end";
  std::string joined;
  for (const int32_t id : tokenizer.encode(text)) joined += tokenizer.token_bytes(id);
  EXPECT_EQ(joined, text);
}

TEST_P(Reference, IsSavedByteForByteAndReadFromItsFolder) {
  const std::string file = std::string(GetParam()) + ".json";
  const TemporaryFolder folder;
  const Tokenizer first = Tokenizer::load(kTokenizerFixtures / file);
  first.save(folder.path());
  EXPECT_EQ(read_file(folder / "tokenizer.json"), read_file(kTokenizerFixtures / file));
  EXPECT_THAT(folder.names(), ElementsAre("tokenizer.json"));
  EXPECT_EQ(Tokenizer::load(folder.path()).encode("Speak, speak."), first.encode("Speak, speak."));
}

/// The ids and texts of a fixture made by the reference implementation.
void expect_reference(const Tokenizer& tokenizer, const json::Value& expected) {
  for (const json::Value& sample : expected.at("cases", "").as_array("")) {
    const std::string& text = sample.at("text", "").as_string("");
    EXPECT_EQ(tokenizer.encode(text), ids_of(sample.at("ids", ""))) << text;
    EXPECT_EQ(tokenizer.encode(text, true), ids_of(sample.at("ids_with_special", ""))) << text;
  }
  for (const json::Value& sample : expected.at("decoded", "").as_array("")) {
    const Ids ids = ids_of(sample.at("ids", ""));
    EXPECT_EQ(tokenizer.decode(ids), sample.at("decoded", "").as_string("")) << json::dump(sample);
    EXPECT_EQ(tokenizer.decode(ids, true), sample.at("skipped", "").as_string(""));
  }
}

class Parts : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Tokenizers, Parts,
                         testing::Values("sentencepiece", "metaspace", "deepseek", "added"));

TEST_P(Parts, MakeTokenizersThatGiveWhatTheReferenceGives) {
  const std::string name = GetParam();
  const Tokenizer tokenizer = Tokenizer::load(tokenizer_parts() / (name + ".json"));
  for (int round = 0; round < 2; ++round)  // the second one finds its words in the cache
    expect_reference(tokenizer, read_json(tokenizer_parts() / (name + "_expected.json")));
}

class Published : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Tokenizers, Published,
                         testing::Values("deepseek_v3", "qwen3", "llama3_1", "llama2", "minilm"));

TEST_P(Published, TokenizersGiveWhatTheReferenceGives) {
  const std::string name = GetParam();
  const char* set = std::getenv("CUPEL_HOME");
  const char* user = std::getenv("HOME");
  const std::filesystem::path home =
      set != nullptr ? set : std::filesystem::path(user == nullptr ? "" : user) / ".cache/cupel";
  const std::filesystem::path file =
      (name == "minilm" ? home / "models/all-MiniLM-L6-v2" : home / "oracle/tokenizers" / name) /
      "tokenizer.json";
  if (!std::filesystem::exists(file))
    GTEST_SKIP() << file << " is missing; tools/oracle/published.py fetches it";
  expect_reference(
      Tokenizer::parse(read_file(file), file.string()),
      read_json(tokenizer_parts().parent_path() / "published" / (name + "_expected.json")));
}

TEST(Tokenizer, BytesOfSentencePieceTokensAreThoseOfTheText) {
  const Tokenizer tokenizer = Tokenizer::load(tokenizer_parts() / "sentencepiece.json");
  std::string joined;
  for (const int32_t id : tokenizer.encode("Speak, 語 😀")) joined += tokenizer.token_bytes(id);
  EXPECT_EQ(joined, " Speak, 語 😀") << "the space that Prepend puts is taken away by decode alone";
}

TEST(Tokenizer, ATextWithoutBlanksTakesTimeThatGrowsWithItsLength) {
  const Tokenizer tokenizer = Tokenizer::load(tokenizer_parts() / "sentencepiece.json");
  const std::string once = "whereforeartthou", many = [&] {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += once;
    return text;
  }();
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(many)), many);
}

TEST(Tokenizer, MergesByteByByteAndFindsSpecialTokens) {
  const Tokenizer tokenizer = parse_tokenizer(tokenizer_json());
  EXPECT_THAT(tokenizer.encode("abcab<s>x"), ElementsAre(257, 256, 258, 'x'));
  EXPECT_EQ(tokenizer.vocab_size(), 259);
  EXPECT_EQ(tokenizer.token_to_id("<s>"), 258);
  EXPECT_EQ(tokenizer.token_to_id("ab"), 256);
  EXPECT_EQ(tokenizer.token_to_id("abcd"), std::nullopt);
  EXPECT_TRUE(tokenizer.is_special(258));
  EXPECT_FALSE(tokenizer.is_special(257));
  EXPECT_FALSE(tokenizer.is_special(-1));
  EXPECT_FALSE(tokenizer.is_special(INT32_MAX));
}

TEST(Tokenizer, DecodingAnyIdsGivesValidText) {
  const Tokenizer tokenizer = parse_tokenizer(tokenizer_json());
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(tokenizer.decode(Ids{'a', 0xff, 'b'}), "a" + mark + "b");
  EXPECT_EQ(tokenizer.decode(Ids{0xf0, 0x9f, 0x98}), mark) << "a character that is not complete";
  EXPECT_EQ(tokenizer.decode(Ids{0xf0, 0x9f, 0x98, 0x80}), "😀");
  EXPECT_EQ(tokenizer.decode(Ids{-1, 'a', 259, INT32_MAX, INT32_MIN}), "a");
  EXPECT_EQ(tokenizer.decode(Ids{258, 'a', 258}, /*skip_special=*/true), "a");
  EXPECT_EQ(tokenizer.decode(Ids{258, 'a'}), "<s>a");
}

TEST(Tokenizer, TextThatIsNoUtf8IsRefusedWithItsPlace) {
  const Tokenizer tokenizer = parse_tokenizer(tokenizer_json());
  EXPECT_THAT([&] { tokenizer.encode("ab\xff"); },
              throws_error(ErrorKind::data, "text is not valid UTF-8 at byte 2"));
  EXPECT_THAT(tokenizer.encode(std::string_view("a\0b", 3)), ElementsAre('a', 0, 'b'));
}

TEST(Tokenizer, TwoTokenizersOfOneThreadDoNotShareWords) {
  json::Value other = tokenizer_json();
  other.set("model", bpe_json({{"b", "c"}, {"x", "y"}}));
  const Tokenizer first = parse_tokenizer(tokenizer_json()), second = parse_tokenizer(other);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(first.encode("abc"), ElementsAre(257));
    EXPECT_THAT(second.encode("abc"), ElementsAre('a', 256));
  }
}

TEST(Tokenizer, TheConfigNamesTheTokensAroundATextInBothSpellings) {
  const Tokenizer tokenizer = parse_tokenizer(
      tokenizer_json(), R"({"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": "ab"})");
  EXPECT_EQ(tokenizer.bos_id(), 258);
  EXPECT_EQ(tokenizer.eos_id(), 256);
  EXPECT_EQ(parse_tokenizer(tokenizer_json(), R"({"bos_token": null})").bos_id(), std::nullopt);
  EXPECT_EQ(parse_tokenizer(tokenizer_json()).eos_id(), std::nullopt);
  EXPECT_THAT([] { parse_tokenizer(tokenizer_json(), R"({"eos_token": "</s>"})"); },
              throws_error(ErrorKind::data,
                           "m/tokenizer_config.json: eos_token: \"</s>\" is not a "
                           "token of tokenizer.json; fetch both files from one place"));
  EXPECT_THAT([] { parse_tokenizer(tokenizer_json(), "{"); },
              throws_error(ErrorKind::data, "m/tokenizer_config.json:1:2: not well-formed JSON"));
}

TEST(Tokenizer, ATemplatePutsTokensAroundTheText) {
  json::Value root = tokenizer_json();
  root.set("post_processor", json::parse(R"({"type": "TemplateProcessing", "single": [
      {"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "end"}}],
      "special_tokens": {"<s>": {"ids": [258, 97]}, "end": {"ids": [0]}}})",
                                         ""));
  EXPECT_THAT(parse_tokenizer(root).encode("ab", true), ElementsAre(258, 'a', 256, 0));
  EXPECT_THAT(parse_tokenizer(root).encode("ab"), ElementsAre(256));
}

TEST(Tokenizer, ATemplateWithoutSenseIsRefused) {
  const auto with_ids = [](const std::string& ids) {
    return R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}],)"
           R"("special_tokens": {"x": {"ids": )" +
           ids + "}}}";
  };
  EXPECT_TRUE(refuses_tokenizer("post_processor", with_ids("[259]"),
                                "id 259 is no token; the file is damaged"));
  EXPECT_TRUE(refuses_tokenizer("post_processor", with_ids("[-1]"), "id -1 is no token"));
  EXPECT_TRUE(
      refuses_tokenizer("post_processor",
                        R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}],
                          "special_tokens": {}})",
                        "missing key \"x\""));
  EXPECT_TRUE(refuses_tokenizer("post_processor",
                                R"({"type": "TemplateProcessing",
                          "single": [{"Sequence": {}}, {"Sequence": {}}]})",
                                "holds the text twice; leave one Sequence in it"));
}

TEST(Tokenizer, WhatIsNotKnownIsRefusedByName) {
  EXPECT_TRUE(refuses_tokenizer(
      "model", R"({"type": "Unigram", "vocab": []})",
      "m/tokenizer.json: model: unknown type \"Unigram\"; known: BPE, WordPiece"));
  EXPECT_TRUE(
      refuses_tokenizer("decoder", R"({"type": "CTC"})", "decoder: unknown decoder \"CTC\""));
  EXPECT_TRUE(refuses_tokenizer("post_processor", R"({"type": "Other"})",
                                "unknown post-processor \"Other\"; known: BertProcessing"));
  EXPECT_TRUE(refuses_tokenizer("normalizer", R"({"type": "Nmt"})", "unknown normalizer \"Nmt\""));
  EXPECT_TRUE(refuses_tokenizer("model", "null", "model: expected an object, got null"));
}

TEST(Tokenizer, AddedTokensMustAgreeWithTheVocabularyAndEachOther) {
  const auto added = [](const std::string& list) { return "[" + list + "]"; };
  EXPECT_TRUE(
      refuses_tokenizer("added_tokens", added(R"({"id": 97, "content": "x"})"),
                        "\"x\" with id 97 contradicts the vocabulary or another added token; the "
                        "file is damaged"));
  EXPECT_TRUE(
      refuses_tokenizer("added_tokens", added(R"({"id": 300, "content": "ab"})"), "contradicts"));
  EXPECT_TRUE(refuses_tokenizer(
      "added_tokens", added(R"({"id": 300, "content": "x1"}, {"id": 300, "content": "x2"})"),
      "\"x2\" with id 300 contradicts"));
  EXPECT_TRUE(refuses_tokenizer(
      "added_tokens", added(R"({"id": 300, "content": "x1"}, {"id": 301, "content": "x1"})"),
      "contradicts"));
  EXPECT_TRUE(
      refuses_tokenizer("added_tokens", added(R"({"id": 1048576, "content": "x"})"),
                        "added_tokens[0].id: 1048576 is not in 0 to 1048575; the file is damaged"));
  EXPECT_TRUE(
      refuses_tokenizer("added_tokens", added(R"({"id": -1, "content": "x"})"), "is not in 0 to"));
  EXPECT_TRUE(refuses_tokenizer("added_tokens", added(R"({"id": 300, "content": ""})"),
                                "is empty; the file is damaged"));
  EXPECT_TRUE(
      refuses_tokenizer("added_tokens", added(R"({"id": 300})"), "missing key \"content\""));
  EXPECT_TRUE(refuses_tokenizer("added_tokens",
                                added(R"({"id": 300, "content": "x", "special": 1})"),
                                "added_tokens[0].special: expected true or false"));
}

TEST(Tokenizer, ANormalizedTokenIsSoughtInNormalizedText) {
  json::Value root = tokenizer_json();
  root.set("normalizer", json::Object{{"type", "NFC"}});
  root.set("added_tokens",
           json::parse("[{\"id\": 300, \"content\": \"e\u0301\", \"normalized\": true},"
                       " {\"id\": 301, \"content\": \"a\u0301\", \"normalized\": false}]",
                       ""));
  const Tokenizer tokenizer = parse_tokenizer(root);
  EXPECT_THAT(tokenizer.encode("e\u0301\u00e9"), ElementsAre(300, 300));
  EXPECT_THAT(tokenizer.encode("a\u0301\u00e1"), ElementsAre(301, 0xc3, 0xa1));
  EXPECT_EQ(tokenizer.vocab_size(), 302);
  EXPECT_EQ(tokenizer.decode(Ids{299}), "") << "an id between that no token has";
}

TEST(Tokenizer, AFileThatIsNoTokenizerIsRefusedWithItsPlace) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { Tokenizer::load(folder.path()); },
              throws_error(ErrorKind::config, "folder has no tokenizer.json; a tokenizer.model"));
  EXPECT_THAT([&] { Tokenizer::load(folder / "none.json"); },
              throws_error(ErrorKind::config, "none.json"));
  const auto refuses_text = [&](const std::string& text, const std::string& message) {
    const auto path = folder.write("tokenizer.json", text);
    EXPECT_THAT([&] { Tokenizer::load(path); }, throws_error(ErrorKind::data, message));
  };
  refuses_text("", "tokenizer.json:1:1: not well-formed JSON");
  refuses_text("{\n\"model\": }", "tokenizer.json:2:10: not well-formed JSON");
  refuses_text("{\"model\": {}, \"model\": {}}", "duplicate key \"model\"");
  refuses_text("[]", "expected an object, got a list");
  refuses_text("{}", "tokenizer.json: missing key \"model\"");
  refuses_text(std::string(100'000, '['), "nested more than 64 levels deep");
  refuses_text("{\"a\": \"\xff\"}", "ill-formed UTF-8");
}

TEST(Tokenizer, ThePrefixIsWhatTheTemplateOrTheConfigPutsBeforeAText) {
  EXPECT_THAT(parse_tokenizer(tokenizer_json(), R"({"bos_token": "<s>"})").prefix(), ElementsAre());
  const Tokenizer added =
      parse_tokenizer(tokenizer_json(), R"({"bos_token": "<s>", "add_bos_token": true})");
  EXPECT_THAT(added.prefix(), ElementsAre(258));
  EXPECT_THAT(added.encode("ab", true), ElementsAre(258, 256));
  json::Value root = tokenizer_json();
  root.set("post_processor", json::parse(R"({"type": "TemplateProcessing", "single": [
      {"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}],
      "special_tokens": {"<s>": {"ids": [258]}}})",
                                         ""));
  EXPECT_THAT(parse_tokenizer(root).prefix(), ElementsAre(258));
}

TEST(Tokenizer, EncodingALongTextCanBeEnded) {
  std::string text;
  for (int i = 0; i < 40000; ++i) text += "ab ";
  int polls = 0;
  const Tokenizer tokenizer = parse_tokenizer(tokenizer_json());
  EXPECT_EQ(tokenizer.encode(text, false, [&] { ++polls; }), tokenizer.encode(text));
  EXPECT_EQ(polls, 2);
  EXPECT_THROW(tokenizer.encode(text, false, [] { throw Interrupted(); }), Interrupted);
}

}  // namespace
}  // namespace cupel
