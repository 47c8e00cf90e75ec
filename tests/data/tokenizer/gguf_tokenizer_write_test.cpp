#include "data/tokenizer/gguf_tokenizer_write.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/atomic_file.h"
#include "data/gguf.h"
#include "data/tokenizer/gguf_tokenizer.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/reference_loops.h"
#include "support/token_cases.h"
#include "support/tokenizer_json.h"

namespace cupel {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const fs::path kWrittenFixtures = fs::path(CUPEL_SOURCE_DIR) / "tests/fixtures";

/// Text of every kind that tokenizers treat in a way of their own.
const std::vector<std::string> kAssorted{
    "Hello, world! It's 12345 o'clock.",
    "  two  spaces\n\n\tand a tab  \r\n",
    "größer, naïve, e\u0301t\u00e9, 中文とかな, עברית, ไทย",
    "if (x_1 != 0x7F) { return \"\\n\"; }  // 100%",
    "😀👩‍👩‍👧 \u00a0\u2003 \u2028end",
    "▁under <s> </s> <0x0A> <|endoftext|><|user|>hi<|assistant|>",
    " ",
    "a"};

struct Written {
  std::vector<std::string> notes;
  Tokenizer tokenizer;  // as it is read again
  Gguf file;
};

Written written_again(const Tokenizer& tokenizer, GgufBeside beside = {.where = "m"}) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  GgufMetadata metadata;
  std::vector<std::string> notes = add_gguf_tokenizer(tokenizer, beside, metadata);
  write_gguf(folder / "m.gguf", metadata, {});
  return {std::move(notes), load_tokenizer(folder / "m.gguf"), Gguf::open(folder / "m.gguf")};
}

/// Both give the same ids, with and without what stands around a text, and the same texts.
void expect_same_tokens(const Tokenizer& want, const Tokenizer& got,
                        const std::vector<std::string>& texts) {
  EXPECT_EQ(got.vocab_size(), want.vocab_size());
  EXPECT_EQ(got.bos_id(), want.bos_id() ? want.bos_id() : got.bos_id());
  EXPECT_EQ(got.eos_id(), want.eos_id());
  EXPECT_EQ(got.prefix(), want.prefix());
  for (const std::string& text : texts) {
    for (const bool special : {false, true}) {
      const std::vector<int32_t> ids = want.encode(text, special);
      EXPECT_EQ(got.encode(text, special), ids) << text;
      EXPECT_EQ(got.decode(ids, special), want.decode(ids, special)) << text;
    }
  }
}

TEST(GgufTokenizerWrite, IsReadAsTheTokenizerThatItWas) {
  for (const char* name : {"gpt2", "llama3", "qwen2"}) {
    const fs::path file = kWrittenFixtures / "tokenizer" / (std::string(name) + ".json");
    const Tokenizer tokenizer = Tokenizer::parse(read_file(file), file.string());
    std::vector<std::string> texts = kAssorted;
    for (const TokenCase& sample :
         read_token_cases(kWrittenFixtures / "tokenizer" / (std::string(name) + "_expected.json")))
      texts.push_back(sample.text);
    expect_same_tokens(tokenizer, written_again(tokenizer).tokenizer, texts);
  }
}

TEST(GgufTokenizerWrite, KeepsPublishedTokenizers) {
  const char* set = std::getenv("CUPEL_HOME");
  const char* user = std::getenv("HOME");
  const fs::path home =
      set != nullptr ? set : fs::path(user == nullptr ? "" : user) / ".cache/cupel";
  for (const std::string_view name : {"deepseek_v3", "qwen3", "llama3_1", "llama2"}) {
    if (kSanitized && name != "llama2") continue;  // the only one with its own way to be written
    const fs::path folder = home / "oracle/tokenizers" / name;
    if (!fs::exists(folder / "tokenizer.json"))
      GTEST_SKIP() << folder << " is missing; tools/oracle/published.py fetches it";
    const Tokenizer tokenizer = Tokenizer::load(folder);
    expect_same_tokens(tokenizer, written_again(tokenizer).tokenizer, kAssorted);
  }
}

/// SentencePiece with every way to make "▁ab" of two pieces.
json::Value sentencepiece_json() {
  json::Object vocabulary{{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
  for (int byte = 0; byte < 256; ++byte)
    vocabulary.emplace_back(token_of_byte(static_cast<char>(byte)), byte + 3);
  int id = 259;
  for (const char* piece : {"▁", "a", "b", "▁a", "ab", "▁ab"}) vocabulary.emplace_back(piece, id++);
  const json::Array merges{"▁ a", "a b", "▁ ab", "▁a b"};
  const json::Array normalizers{
      json::Object{{"type", "Prepend"}, {"prepend", "▁"}},
      json::Object{
          {"type", "Replace"}, {"pattern", json::Object{{"String", " "}}}, {"content", "▁"}}};
  const json::Array decoders{
      json::Object{
          {"type", "Replace"}, {"pattern", json::Object{{"String", "▁"}}}, {"content", " "}},
      json::Object{{"type", "ByteFallback"}}, json::Object{{"type", "Fuse"}},
      json::Object{{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}};
  return json::Object{
      {"added_tokens", json::Array{added_token_json(0, "<unk>"), added_token_json(1, "<s>"),
                                   added_token_json(2, "</s>")}},
      {"normalizer", json::Object{{"type", "Sequence"}, {"normalizers", normalizers}}},
      {"pre_tokenizer", nullptr},
      {"decoder", json::Object{{"type", "Sequence"}, {"decoders", decoders}}},
      {"model", json::Object{{"type", "BPE"},
                             {"unk_token", "<unk>"},
                             {"fuse_unk", true},
                             {"byte_fallback", true},
                             {"vocab", vocabulary},
                             {"merges", merges}}}};
}

constexpr const char* kEnds =
    R"({"bos_token": "<s>", "eos_token": {"content": "</s>"}, "add_bos_token": true})";

TEST(GgufTokenizerWrite, GivesPiecesOfSentencePieceScoresInTheOrderOfTheirMerges) {
  const Tokenizer tokenizer = Tokenizer::parse(json::dump(sentencepiece_json()), "t", kEnds);
  const Written written = written_again(tokenizer);
  EXPECT_THAT(written.notes, IsEmpty());
  const std::vector<double> scores = written.file.at("tokenizer.ggml.scores").as_doubles("");
  EXPECT_EQ(scores.at(262), 0);   // ▁a
  EXPECT_EQ(scores.at(263), -1);  // ab
  EXPECT_EQ(scores.at(264), -2);  // ▁ab
  EXPECT_LT(scores.at(260), -2);  // a
  const std::vector<int64_t> kinds = written.file.at("tokenizer.ggml.token_type").as_ints("");
  EXPECT_THAT(std::vector<int64_t>(kinds.begin(), kinds.begin() + 4), ElementsAre(2, 3, 3, 6));
  std::vector<std::string> texts = kAssorted;
  texts.insert(texts.end(), {"ab ab abab", "ba"});
  expect_same_tokens(tokenizer, written.tokenizer, texts);
}

TEST(GgufTokenizerWrite, FillsTheVocabularyUpToTheEmbedding) {
  const Tokenizer tokenizer = Tokenizer::parse(json::dump(tokenizer_json()), "t");
  GgufBeside beside{.where = "m", .vocab_size = 262};
  beside.chat_template = "{{ messages }}";
  beside.endings = {258, 7, 8, 9};
  const Written written = written_again(tokenizer, beside);
  const auto tokens = written.file.at("tokenizer.ggml.tokens").as_texts("");
  ASSERT_EQ(tokens.size(), 262u);
  EXPECT_EQ(tokens[258], "<s>");
  EXPECT_EQ(tokens[259], "[PAD259]");
  EXPECT_EQ(written.file.at("tokenizer.ggml.token_type").as_ints("")[261], 5);
  EXPECT_EQ(written.tokenizer.vocab_size(), 259);
  EXPECT_EQ(written.file.at("tokenizer.chat_template").as_text(""), "{{ messages }}");
  // No file names a last token: the first that ends an answer is taken for it.
  EXPECT_EQ(written.file.at("tokenizer.ggml.eos_token_id").as_int(""), 258);
  EXPECT_EQ(written.file.at("tokenizer.ggml.eot_token_id").as_int(""), 7);
  EXPECT_EQ(written.file.at("tokenizer.ggml.eom_token_id").as_int(""), 8);
  EXPECT_FALSE(written.file.at("tokenizer.ggml.add_bos_token").as_bool(""));
}

TEST(GgufTokenizerWrite, KeepsTextAsItIsWhereTheNamesOwnModelsBringItToNfc) {
  const Tokenizer tokenizer = Tokenizer::train({{{}, "plain words, and e\u0301 apart", 0}}, {});
  const Written written = written_again(tokenizer);
  EXPECT_EQ(written.file.at("tokenizer.ggml.pre").as_text(""), "qwen2");
  EXPECT_THAT(written.notes, IsEmpty());
  expect_same_tokens(tokenizer, written.tokenizer, kAssorted);
}

void expect_refused_tokenizer(json::Value root, const std::string& key, json::Value value,
                              const std::string& text) {
  root.set(key, std::move(value));
  const Tokenizer tokenizer = Tokenizer::parse(json::dump(root), "t");
  GgufMetadata metadata;
  EXPECT_THAT([&] { add_gguf_tokenizer(tokenizer, {.where = "m"}, metadata); },
              throws_error(ErrorKind::data, "m: tokenizer.json: " + text));
}

TEST(GgufTokenizerWrite, RefusesWhatLlamaCppWouldCutOrMergeOtherwise) {
  const json::Value bytes = tokenizer_json(), pieces = sentencepiece_json();
  expect_refused_tokenizer(
      bytes, "pre_tokenizer", json::Object{{"type", "ByteLevel"}, {"add_prefix_space", true}},
      "no name that llama.cpp knows cuts words as this pre-tokenizer does; known: gpt-2, default");
  expect_refused_tokenizer(bytes, "normalizer", json::Object{{"type", "Lowercase"}},
                           "llama.cpp has no normalizer like {\"type\":\"Lowercase\"}");
  json::Value model = bytes.at("model", "");
  model.set("ignore_merges", true);
  expect_refused_tokenizer(bytes, "model", model, "ignore_merges is true, and the other way round");
  expect_refused_tokenizer(pieces, "normalizer", nullptr, "text is changed or cut otherwise");
  json::Value fewer = pieces.at("model", "");
  fewer.set("merges", json::Array{"▁ a", "a b", "▁ ab"});
  expect_refused_tokenizer(pieces, "model", fewer,
                           "the merges are not all those of a SentencePiece");
  json::Value apart = pieces.at("model", "");
  apart.set("merges", json::Array{"▁ ab", "a b", "▁ a", "▁a b"});
  expect_refused_tokenizer(pieces, "model", apart,
                           "the merges are not all those of a SentencePiece");
  json::Value characters = pieces.at("model", "");
  characters.set("byte_fallback", false);
  expect_refused_tokenizer(pieces, "model", characters,
                           "a GGUF has a place for byte-level BPE and for BPE with byte fallback");
}

TEST(GgufTokenizerWrite, TellsOfWhiteSpaceThatTokensTakeAlong) {
  json::Value root = tokenizer_json();
  root.set("added_tokens",
           json::Array{
               json::Object{{"id", 258}, {"content", "<s>"}, {"special", true}, {"lstrip", true}}});
  EXPECT_THAT(written_again(Tokenizer::parse(json::dump(root), "t")).notes,
              ElementsAre(HasSubstr("white space")));
}

TEST(GgufTokenizerWrite, TakesTheChatTemplateThatTransformersWould) {
  EXPECT_EQ(chat_template_text("", ""), "");
  EXPECT_EQ(chat_template_text(R"({"chat_template": "a"})", "b"), "b");
  EXPECT_EQ(chat_template_text(R"({"chat_template": "a"})", ""), "a");
  EXPECT_EQ(chat_template_text(R"({"chat_template": [{"name": "tool_use", "template": "x"},
                                  {"name": "default", "template": "y"}]})",
                               ""),
            "y");
  EXPECT_EQ(chat_template_text("{}", ""), "");
}

}  // namespace
}  // namespace cupel
