#include "data/tokenizer/gguf_tokenizer.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/atomic_file.h"
#include "data/tokenizer/pretokenize.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/gguf_bytes.h"
#include "support/token_cases.h"

namespace cupel {
namespace {

constexpr int32_t kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6;

const std::filesystem::path kFixtures =
    std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures/tokenizer";

/// Adds what a converter writes of a tokenizer.json: tokens by id, kinds, merges as "a b". Four
/// entries.
void add_published(const json::Value& root, GgufBytes& file) {
  std::vector<std::string> tokens, merges;
  std::vector<int32_t> kinds;
  const auto put = [&](int64_t id, const std::string& token, int32_t kind) {
    const auto index = static_cast<std::size_t>(id);
    if (tokens.size() <= index) tokens.resize(index + 1), kinds.resize(index + 1, kUnused);
    tokens[index] = token;
    kinds[index] = kind;
  };
  const json::Value& model = root.at("model", "");
  for (const auto& [token, id] : model.at("vocab", "").as_object(""))
    put(id.as_int(""), token, kNormal);
  for (const json::Value& token : root.at("added_tokens", "").as_array("")) {
    put(token.at("id", "").as_int(""), token.at("content", "").as_string(""),
        token.at("special", "").as_bool("") ? kControl : kUserDefined);
  }
  for (const json::Value& merge : model.at("merges", "").as_array(""))
    merges.push_back(merge.as_array("")[0].as_string("") + " " +
                     merge.as_array("")[1].as_string(""));
  file.entry("tokenizer.ggml.model", "gpt2").entry("tokenizer.ggml.tokens", tokens);
  file.entry("tokenizer.ggml.token_type", kinds).entry("tokenizer.ggml.merges", merges);
}

TEST(GgufTokenizer, GivesTheIdsOfThePublishedFileForItsNameOfPreTokenizer) {
  const std::pair<const char*, const char*> cases[] = {{"gpt2", "gpt-2"},
                                                       {"gpt2", "default"},
                                                       {"llama3", "llama-bpe"},
                                                       {"qwen2", "qwen2"},
                                                       {"qwen2", "deepseek-r1-qwen"}};
  for (const auto& [name, pre] : cases) {
    const std::filesystem::path published = kFixtures / (std::string(name) + ".json");
    GgufBytes file;
    file.header(0, 5).entry("tokenizer.ggml.pre", pre);
    add_published(json::parse(read_file(published), ""), file);
    const TemporaryFolder folder;
    const Tokenizer tokenizer = load_tokenizer(folder.write("m.gguf", file.bytes));
    for (const TokenCase& sample :
         read_token_cases(kFixtures / (std::string(name) + "_expected.json")))
      EXPECT_EQ(tokenizer.encode(sample.text), sample.ids) << pre << ": " << sample.text;
  }
}

/// The 256 bytes, "ab", and from id 257 <s>, </s> and <tool>; then what `more` adds to 4 entries.
Gguf small(const TemporaryFolder& folder, uint64_t entries,
           const std::function<void(GgufBytes&)>& more) {
  const json::Value root = json::parse(read_file(kFixtures / "gpt2.json"), "");
  GgufBytes file;
  file.header(0, 4 + entries);
  std::vector<std::string> tokens;
  std::vector<int32_t> kinds;
  for (const auto& [token, id] : root.at("model", "").at("vocab", "").as_object("")) {
    // The alphabet's characters have one or two bytes; two of them would have more.
    if (token.size() == 1 || (token.size() == 2 && (token[0] & 0x80) != 0)) tokens.push_back(token);
  }
  for (const char* token : {"ab", "<s>", "</s>", "<tool>"}) tokens.push_back(token);
  kinds.assign(tokens.size() - 3, kNormal);
  kinds.insert(kinds.end(), {kControl, kControl, kUserDefined});
  file.entry("tokenizer.ggml.model", "gpt2").entry("tokenizer.ggml.tokens", tokens);
  file.entry("tokenizer.ggml.token_type", kinds);
  file.entry("tokenizer.ggml.merges", std::vector<std::string>{"a b"});
  more(file);
  return Gguf::open(folder.write("m.gguf", file.bytes));
}

Tokenizer parsed(const Gguf& file) {
  const TokenizerTexts texts = tokenizer_texts(file);
  return Tokenizer::parse(texts.tokenizer, file.where(), texts.config);
}

TEST(GgufTokenizer, PutsTheFirstTokenBeforeATextWhereTheFileSaysSo) {
  const TemporaryFolder folder;
  const auto ends = [](GgufBytes& file) {
    file.entry("tokenizer.ggml.bos_token_id", 257u).entry("tokenizer.ggml.eos_token_id", 258u);
  };
  const Tokenizer with = parsed(small(folder, 3, [&](GgufBytes& file) {
    ends(file);
    file.entry("tokenizer.ggml.add_bos_token", true);
  }));
  EXPECT_EQ(with.encode("ab", true), (std::vector<int32_t>{257, 256}));
  EXPECT_EQ(with.encode("ab<tool></s>"), (std::vector<int32_t>{256, 259, 258}));
  EXPECT_EQ(with.bos_id(), 257);
  EXPECT_EQ(with.eos_id(), 258);
  EXPECT_TRUE(with.is_special(258));
  EXPECT_FALSE(with.is_special(259));
  const Tokenizer without = parsed(small(folder, 2, ends));
  EXPECT_EQ(without.encode("ab", true), std::vector<int32_t>{256});
  const Tokenizer llama = parsed(small(folder, 3, [&](GgufBytes& file) {
    ends(file);
    file.entry("tokenizer.ggml.pre", "llama-bpe");
  }));
  EXPECT_EQ(llama.encode("ab", true), (std::vector<int32_t>{257, 256}));
  const Tokenizer both = parsed(small(folder, 4, [&](GgufBytes& file) {
    ends(file);
    file.entry("tokenizer.ggml.add_bos_token", true).entry("tokenizer.ggml.add_eos_token", true);
  }));
  EXPECT_EQ(both.encode("ab", true), (std::vector<int32_t>{257, 256, 258}));
}

TEST(GgufTokenizer, CutsDigitsAndWordsAsEachFamilyDoes) {
  const TemporaryFolder folder;
  const auto words = [&](const char* pre, const std::string& text) {
    const Tokenizer tokenizer =
        parsed(small(folder, 1, [&](GgufBytes& file) { file.entry("tokenizer.ggml.pre", pre); }));
    const json::Value root = json::parse(tokenizer.json(), "");
    const PreTokenizer cut = PreTokenizer::parse(root.at("pre_tokenizer", ""), "");
    std::vector<std::string> found;
    cut.for_each_word(text, /*at_start=*/true,
                      [&](std::string_view word) { found.emplace_back(word); });
    return found;
  };
  using Words = std::vector<std::string>;
  EXPECT_EQ(words("smollm", "a 123's"), (Words{"a", " ", "1", "2", "3", "'s"}));
  EXPECT_EQ(words("llama-bpe", "a 1234"), (Words{"a", " ", "123", "4"}));
  EXPECT_EQ(words("deepseek-v3", "x 1234中文kana.ok"),
            (Words{"x", " ", "123", "4", "中文", "kana", ".ok"}));
  EXPECT_EQ(words("deepseek-llm", "Ab 12中\n!"), (Words{"Ab", " ", "1", "2", "中", "\n", "!"}));
  EXPECT_EQ(words("deepseek-coder", "Ab 12中"), (Words{"Ab", " ", "1", "2", "中"}));
  EXPECT_EQ(words("qwen2", "a 12"), (Words{"a", " ", "1", "2"}));
}

TEST(GgufTokenizer, KeepsTheChatTemplateAndNamesOfTokensForTransformers) {
  const TemporaryFolder folder;
  const Gguf file = small(folder, 4, [](GgufBytes& bytes) {
    bytes.entry("tokenizer.chat_template", "{{ messages }}")
        .entry("tokenizer.ggml.eos_token_id", 258u);
    bytes.entry("tokenizer.ggml.padding_token_id", 259u);
    bytes.entry("tokenizer.ggml.unknown_token_id", UINT32_MAX);
  });
  const json::Value config = json::parse(tokenizer_texts(file).config, "");
  EXPECT_EQ(config.at("chat_template", "").as_string(""), "{{ messages }}");
  EXPECT_EQ(config.at("eos_token", "").as_string(""), "</s>");
  EXPECT_EQ(config.at("pad_token", "").as_string(""), "<tool>");
  EXPECT_EQ(config.find("unk_token"), nullptr);
  EXPECT_EQ(config.find("bos_token"), nullptr);
  EXPECT_FALSE(config.at("add_bos_token", "").as_bool(""));
  EXPECT_EQ(config.at("tokenizer_class", "").as_string(""), "PreTrainedTokenizerFast");
}

TEST(GgufTokenizer, WritesSentencePieceModelsAsTransformersConvertsThem) {
  GgufBytes bytes;
  bytes.header(0, 6).entry("tokenizer.ggml.model", "llama");
  bytes.entry("tokenizer.ggml.tokens",
              std::vector<std::string>{"<unk>", "<s>", "<0x0A>", "▁", "a", "b", "▁a", "ab", "▁ab"});
  bytes.entry("tokenizer.ggml.token_type",
              std::vector<int32_t>{kUnknown, kControl, kByte, kNormal, kNormal, kNormal, kNormal,
                                   kNormal, kNormal});
  bytes.entry("tokenizer.ggml.scores", std::vector<float>{0, 0, 0, -6, -7, -8, -1, -2, -3});
  bytes.entry("tokenizer.ggml.bos_token_id", 1u).entry("tokenizer.ggml.unknown_token_id", 0u);
  const TemporaryFolder folder;
  const TokenizerTexts texts = tokenizer_texts(Gguf::open(folder.write("m.gguf", bytes.bytes)));
  const json::Value root = json::parse(texts.tokenizer, "");
  const json::Value& model = root.at("model", "");
  EXPECT_EQ(json::dump(model.at("merges", "")), R"([["▁","a"],["a","b"],["▁","ab"],["▁a","b"]])");
  EXPECT_TRUE(model.at("byte_fallback", "").as_bool(""));
  EXPECT_TRUE(model.at("fuse_unk", "").as_bool(""));
  EXPECT_EQ(model.at("unk_token", "").as_string(""), "<unk>");
  EXPECT_EQ(json::dump(root.at("normalizer", "")),
            R"({"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},)"
            R"({"type":"Replace","pattern":{"String":" "},"content":"▁"}]})");
  EXPECT_EQ(json::dump(root.at("decoder", "")),
            R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},)"
            R"("content":" "},{"type":"ByteFallback"},{"type":"Fuse"},)"
            R"({"type":"Strip","content":" ","start":1,"stop":0}]})");
  EXPECT_TRUE(root.at("pre_tokenizer", "").is_null());
  EXPECT_NE(root.at("post_processor", "").at("special_tokens", "").find("<s>"), nullptr);
}

void expect_refused(uint64_t entries, const std::function<void(GgufBytes&)>& more,
                    const std::string& text) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { tokenizer_texts(small(folder, entries, more)); },
              throws_error(ErrorKind::data, text));
}

TEST(GgufTokenizer, NamesWhatItKnowsWhereItKnowsNothing) {
  expect_refused(
      1, [](GgufBytes& f) { f.entry("tokenizer.ggml.pre", "viking"); },
      "tokenizer.ggml.pre: unknown pre-tokenizer \"viking\"; known: gpt-2, default");
  GgufBytes other;
  other.header(0, 1).entry("tokenizer.ggml.model", "t5");
  const TemporaryFolder folder;
  EXPECT_THAT([&] { load_tokenizer(folder.write("m.gguf", other.bytes)); },
              throws_error(ErrorKind::data, "unknown tokenizer \"t5\"; known: gpt2, llama"));
}

TEST(GgufTokenizer, RefusesListsThatContradictEachOther) {
  expect_refused(
      1, [](GgufBytes& f) { f.entry("tokenizer.ggml.bos_token_id", 260u); },
      "tokenizer.ggml.bos_token_id: 260 is no token");
  const auto refused = [](const std::vector<std::string>& tokens, const std::vector<int32_t>& kinds,
                          const std::vector<std::string>& merges, const std::string& text) {
    GgufBytes file;
    file.header(0, 4).entry("tokenizer.ggml.model", "gpt2").entry("tokenizer.ggml.tokens", tokens);
    file.entry("tokenizer.ggml.token_type", kinds).entry("tokenizer.ggml.merges", merges);
    const TemporaryFolder folder;
    EXPECT_THAT([&] { load_tokenizer(folder.write("m.gguf", file.bytes)); },
                throws_error(ErrorKind::data, text));
  };
  refused({}, {}, {}, "0 tokens, 1 to 1048576 are allowed");
  refused({"a", "b"}, {1}, {}, "1 kinds of 2 tokens");
  refused({"a", "a"}, {1, 1}, {}, "token 1, \"a\", is empty, no UTF-8 or there twice");
  refused({"a", "\xC3"}, {1, 1}, {}, "token 1, \"\xEF\xBF\xBD\", is empty");
  refused({"a", "b"}, {1, 1}, {"ab"}, "tokenizer.ggml.merges: \"ab\" is no pair");
  GgufBytes scores;
  scores.header(0, 3).entry("tokenizer.ggml.model", "llama");
  scores.entry("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b"});
  scores.entry("tokenizer.ggml.scores", std::vector<float>{1});
  const TemporaryFolder folder;
  EXPECT_THAT([&] { load_tokenizer(folder.write("m.gguf", scores.bytes)); },
              throws_error(ErrorKind::data, "does not hold a number for every token"));
}

}  // namespace
}  // namespace cupel
