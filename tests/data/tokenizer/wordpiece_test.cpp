#include "data/tokenizer/wordpiece.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "support/errors.h"
#include "support/files.h"
#include "support/token_cases.h"

namespace cupel {
namespace {

using testing::ElementsAre;

const std::filesystem::path kBertFixtures =
    std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures";

class WordPieceReference : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(, WordPieceReference, testing::Values("uncased", "cased", "accents"));

TEST_P(WordPieceReference, EncodesAwkwardTextsAlike) {
  const std::string name = GetParam();
  const WordPiece wordpiece = WordPiece::load(kBertFixtures / "wordpiece" / (name + ".json"));
  const auto cases = read_token_cases(kBertFixtures / "wordpiece" / (name + "_expected.json"));
  EXPECT_GT(cases.size(), 60u);
  for (const TokenCase& sample : cases)
    EXPECT_EQ(wordpiece.encode(sample.text), sample.ids) << sample.text;
}

TEST_P(WordPieceReference, TakesTheFirstTokensOfALongText) {
  const WordPiece wordpiece =
      WordPiece::load(kBertFixtures / "wordpiece" / (std::string(GetParam()) + ".json"));
  const std::string text = "Speak, speak. 今天天气 [MASK] Café and more of it";
  const std::vector<int32_t> whole = wordpiece.encode(text);
  for (std::size_t size = 2; size < whole.size() + 3; ++size) {
    std::vector<int32_t> expected = whole;
    if (size < whole.size()) {
      expected.resize(size - 1);
      expected.push_back(whole.back());
    }
    EXPECT_EQ(wordpiece.encode(text, static_cast<int64_t>(size)), expected);
  }
}

TEST(WordPiece, ReadsAVocabularyOfLines) {
  const WordPiece wordpiece = WordPiece::load(kBertFixtures / "encoder/tiny");
  for (const TokenCase& sample : read_token_cases(kBertFixtures / "encoder/tiny/expected.json"))
    EXPECT_EQ(wordpiece.encode(sample.text, 24), sample.ids) << sample.text;
}

const std::string kLines = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\r\n##b\nÉ\ne";

TEST(WordPiece, TheConfigBesideAVocabularySettlesCaseAndAccents) {
  const auto encode = [](const char* config, const char* text) {
    return WordPiece::parse_vocabulary(kLines, "m/vocab.txt", config).encode(text);
  };
  EXPECT_THAT(encode("", "AB É"), ElementsAre(2, 4, 5, 7, 3));
  EXPECT_THAT(encode(R"({"do_lower_case": false})", "aB É ab"), ElementsAre(2, 1, 6, 4, 5, 3));
  EXPECT_THAT(encode(R"({"cls_token": "a", "sep_token": {"content": "e"}})", "ab"),
              ElementsAre(4, 4, 1, 7))
      << "a token that is sought as it stands ends the word";
}

TEST(WordPiece, WordsWithoutPiecesAreUnknownAsAWhole) {
  const WordPiece wordpiece = WordPiece::parse_vocabulary(kLines, "m/vocab.txt");
  EXPECT_THAT(wordpiece.encode("ab abx abb xa"), ElementsAre(2, 4, 5, 1, 4, 5, 5, 1, 3));
  EXPECT_EQ(wordpiece.vocab_size(), 8);
}

TEST(WordPiece, TextThatIsNoUtf8IsRefusedWithItsPlace) {
  const WordPiece wordpiece = WordPiece::parse_vocabulary(kLines, "m/vocab.txt");
  EXPECT_THAT([&] { wordpiece.encode("ab\xff"); },
              throws_error(ErrorKind::data, "text is not valid UTF-8 at byte 2"));
}

TEST(WordPiece, FoldersWithoutATokenizerAreRefused) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { WordPiece::load(folder.path()); },
              throws_exactly(ErrorKind::config,
                             folder.path().string() +
                                 ": folder has neither tokenizer.json nor vocab.txt; name the "
                                 "folder of a BERT model"));
}

TEST(WordPiece, TokenizerJsonGoesBeforeVocabularyAndBothCanBeNamed) {
  const TemporaryFolder folder;
  folder.write("vocab.txt", kLines);
  EXPECT_EQ(WordPiece::load(folder.path()).vocab_size(), 8);
  const auto json = kBertFixtures / "wordpiece/uncased.json";
  folder.write("tokenizer.json", read_file(json));
  EXPECT_EQ(WordPiece::load(folder.path()).vocab_size(), WordPiece::load(json).vocab_size());
  EXPECT_EQ(WordPiece::load(folder / "vocab.txt").vocab_size(), 8);
}

TEST(WordPiece, DamagedVocabulariesAreRefusedWithTheirLine) {
  const auto refused = [](const std::string& lines, const std::string& message) {
    EXPECT_THAT([&] { WordPiece::parse_vocabulary(lines, "m/vocab.txt"); },
                throws_error(ErrorKind::data, message));
  };
  refused(kLines + "\na\n", "m/vocab.txt:9: token \"a\" stands twice");
  refused("[UNK]\na\xff\n", "m/vocab.txt:2: is not valid UTF-8");
  refused("[UNK]\n[CLS]\n", "m/vocab.txt: lacks the tokens around a text, [CLS] and [SEP]");
  refused("[CLS]\n[SEP]\n", "m/vocab.txt: the unknown token \"[UNK]\" is not in the vocabulary");
  refused(std::string(1 << 21, '\n'), "m/vocab.txt:1048577: is one token too many");
}

/// `change` makes the smallest tokenizer.json one that is refused with this message.
void refuses_wordpiece(const std::function<void(json::Value&)>& change,
                       const std::string& message) {
  json::Value root = json::parse(R"({"model": {"type": "WordPiece", "vocab": {"[UNK]": 0, "a": 1}},
                      "normalizer": {"type": "BertNormalizer"},
                      "pre_tokenizer": {"type": "BertPreTokenizer"}, "added_tokens": []})",
                                 "t");
  EXPECT_THAT(WordPiece::parse(json::dump(root), "t").encode("a b"), ElementsAre(1, 0));
  change(root);
  EXPECT_THAT([&] { WordPiece::parse(json::dump(root), "t.json"); },
              throws_error(ErrorKind::data, message));
}

TEST(WordPiece, OtherTokenizersAreRefusedByName) {
  refuses_wordpiece(
      [](json::Value& root) {
        root.set("model", json::Object{{"type", "BPE"}});
      },
      "t.json: model: unknown type \"BPE\"; known: WordPiece");
  refuses_wordpiece(
      [](json::Value& root) {
        root.set("pre_tokenizer", json::Object{{"type", "Split"}});
      },
      "t.json: pre_tokenizer: unknown type \"Split\"; known: BertPreTokenizer");
  refuses_wordpiece([](json::Value& root) { root.set("pre_tokenizer", nullptr); },
                    "t.json: pre_tokenizer: unknown type null");
}

TEST(WordPiece, DamagedFilesAreRefused) {
  const auto with_model = [](const char* key, json::Value value) {
    return [=](json::Value& root) {
      json::Value model = root.at("model", "t");
      model.set(key, value);
      root.set("model", model);
    };
  };
  refuses_wordpiece(with_model("unk_token", "b"),
                    "the unknown token \"b\" is not in the vocabulary");
  refuses_wordpiece(with_model("max_input_chars_per_word", 5000),
                    "t.json: model.max_input_chars_per_word: 5000 is not in 1 to 1000");
  const auto added = [](int id, const char* content, bool normalized) {
    return [=](json::Value& root) {
      root.set("added_tokens", json::Array{json::Object{
                                   {"id", id}, {"content", content}, {"normalized", normalized}}});
    };
  };
  refuses_wordpiece(added(1, "b", false), "\"b\" with id 1 contradicts the vocabulary");
  refuses_wordpiece(added(0, "a", false), "\"a\" with id 0 contradicts the vocabulary");
  refuses_wordpiece(added(2, "b", true), "\"b\" is sought in normalised text");
}

}  // namespace
}  // namespace cupel
