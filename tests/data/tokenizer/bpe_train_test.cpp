#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/atomic_file.h"
#include "data/read.h"
#include "data/tokenizer/tokenizer.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/rows.h"

namespace cupel {
namespace {

const std::filesystem::path kSource = CUPEL_SOURCE_DIR;

std::vector<Document> shakespeare() {
  constexpr std::size_t kTrainingBytes = 200'000;  // as tools/oracle/tokenizer.py has it
  std::vector<Document> documents =
      read_corpus(kSource / "data/tinyshakespeare/input.txt.gz", {}, nullptr).documents;
  documents.at(0).text.resize(kTrainingBytes);
  return documents;
}

std::vector<Document> documents_of(const std::vector<std::string>& texts) {
  std::vector<Document> documents;
  for (const std::string& text : texts) {
    documents.push_back({std::to_string(documents.size()), text, 0});
  }
  return documents;
}

auto refuses_training(const BpeTrainOptions& options, ErrorKind kind, const std::string& message,
                      const std::string& text = "some text") {
  return testing::Matches(throws_error(kind, message))(
      std::function<void()>([=] { Tokenizer::train(documents_of({text}), options); }));
}

TEST(BpeTrain, LearnsTheMergesAndIdsOfTheReferenceImplementation) {
  const std::vector<Document> documents = shakespeare();
  for (const std::string name : {"gpt2", "llama3", "qwen2"}) {
    const json::Value expected =
        json::parse(read_file(kSource / "tests/fixtures/tokenizer" / (name + ".json")), name);
    const json::Value& model = expected.at("model", name);
    BpeTrainOptions options;
    options.min_frequency = 0;
    // The two added tokens stand behind the vocabulary.
    options.vocab_size = static_cast<int32_t>(model.at("vocab", name).as_object(name).size());
    const json::Value& pre_tokenizer = expected.at("pre_tokenizer", name);
    options.pattern =
        name == "gpt2"
            ? "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
            : pre_tokenizer.at("pretokenizers", "")
                  .as_array("")[0]
                  .at("pattern", "")
                  .at("Regex", "")
                  .as_string("");
    const json::Value got = json::parse(Tokenizer::train(documents, options).json(), "trained");
    EXPECT_EQ(got.at("model", "").at("merges", ""), model.at("merges", "")) << name;
    EXPECT_EQ(got.at("model", "").at("vocab", ""), model.at("vocab", "")) << name;
  }
}

TEST(BpeTrain, TheOrderOfDocumentsAndThreadsChangeNothing) {
  std::vector<std::string> texts;
  for (uint64_t i = 0; i < 700; ++i) texts.push_back(jsonl_rows(3, i));
  BpeTrainOptions options;
  options.vocab_size = 400;
  const std::string one = Tokenizer::train(documents_of(texts), options).json();
  std::reverse(texts.begin(), texts.end());
  ThreadPool pool(2);
  EXPECT_EQ(Tokenizer::train(documents_of(texts), options, &pool).json(), one);
}

TEST(BpeTrain, WhatItLearnsGivesEveryTextBack) {
  BpeTrainOptions options;
  options.vocab_size = 300;
  options.special_tokens = {"<pad>", "<|endoftext|>"};
  options.bos_token = "<pad>";
  const Tokenizer tokenizer =
      Tokenizer::train(documents_of({"gold and ash, gold and lead"}), options);
  EXPECT_EQ(tokenizer.token_to_id("<|endoftext|>"), 1);
  EXPECT_EQ(tokenizer.bos_id(), 0);
  EXPECT_EQ(tokenizer.eos_id(), 1);
  EXPECT_LT(tokenizer.encode("gold and gold").size(), 6u);
  for (const std::string text :
       {"gold and ash", "中文 😀\r\n\t", "<pad>x<|endoftext|>", "", "\x01\x7f"}) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  }
  const TemporaryFolder folder;
  tokenizer.save(folder.path());
  const Tokenizer loaded = Tokenizer::load(folder.path());
  EXPECT_EQ(loaded.eos_id(), 1);
  EXPECT_EQ(loaded.encode("gold and ash"), tokenizer.encode("gold and ash"));
}

TEST(BpeTrain, PairsThatAreTooRareBecomeNoTokens) {
  BpeTrainOptions options;
  options.vocab_size = 1000;
  options.min_frequency = 3;
  const Tokenizer tokenizer = Tokenizer::train(documents_of({"ab ab ab", "cd cd"}), options);
  EXPECT_TRUE(tokenizer.token_to_id("ab"));
  EXPECT_FALSE(tokenizer.token_to_id("cd"));
}

TEST(BpeTrain, OfEquallyFrequentPairsTheOneWithSmallerIdsComesFirst) {
  BpeTrainOptions options;
  options.vocab_size = 258;  // room for one merge
  const Tokenizer tokenizer = Tokenizer::train(documents_of({"xyxy", "abab"}), options);
  EXPECT_TRUE(tokenizer.token_to_id("ab"));
  EXPECT_FALSE(tokenizer.token_to_id("xy"));
}

TEST(BpeTrain, RefusesOptionsThatCannotBeMet) {
  BpeTrainOptions options;
  options.vocab_size = 256;
  EXPECT_TRUE(
      refuses_training(options, ErrorKind::config, "vocab_size 256 is not in 257 to 1048576"));
  options.vocab_size = (1 << 20) + 1;
  EXPECT_TRUE(refuses_training(options, ErrorKind::config, "vocab_size 1048577 is not in"));
  options = {};
  options.eos_token = "</s>";
  EXPECT_TRUE(
      refuses_training(options, ErrorKind::config, "\"</s>\" is not a special token; add it"));
  options = {};
  options.special_tokens.push_back("");
  EXPECT_TRUE(
      refuses_training(options, ErrorKind::config, "special token \"\" is empty or stands twice"));
  options.special_tokens.back() = "<|endoftext|>";
  EXPECT_TRUE(
      refuses_training(options, ErrorKind::config, "\"<|endoftext|>\" is empty or stands twice"));
  options = {};
  options.pattern = "(";
  EXPECT_TRUE(refuses_training(options, ErrorKind::data, "pattern does not compile"));
}

TEST(BpeTrain, RefusesACorpusWithoutWordsOrWithoutUtf8) {
  EXPECT_TRUE(refuses_training({}, ErrorKind::data, "no text to train a tokenizer on", ""));
  EXPECT_TRUE(
      refuses_training({}, ErrorKind::data, "document 0: not valid UTF-8 at byte 1", "a\xff"));
}

TEST(BpeTrain, CanBeEnded) {
  BpeTrainOptions options;
  options.vocab_size = 300;
  options.poll = [] { throw Interrupted(); };
  EXPECT_THROW(Tokenizer::train({{{}, "to be or not to be", 0}}, options), Interrupted);
}

TEST(BpeTrain, CanBeEndedAmidAWordAsLongAsAFile) {
  const std::vector<Document> documents{{{}, std::string(std::size_t{1} << 20, 'a'), 0}};
  BpeTrainOptions options;
  options.vocab_size = 258;  // one merge
  int polls = 0;
  options.poll = [&] { ++polls; };
  Tokenizer::train(documents, options);
  EXPECT_GE(polls, 16);
}

TEST(BpeTrain, ATextInPartsAndInOneTeachesTheSame) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "gold and ash " + std::to_string(i) + ",\nlead\n";
  BpeTrainOptions options;
  options.vocab_size = 400;
  const auto parts = [&](const std::function<void(Document &&)>& take) {
    std::string_view left = text;
    while (!left.empty()) {
      std::size_t cut = last_line_cut(left.substr(0, 1000));
      if (cut == 0 || left.size() < 1000) cut = left.size();
      take({{}, std::string(left.substr(0, cut)), 0});
      left.remove_prefix(cut);
    }
  };
  ThreadPool pool(3);
  EXPECT_EQ(Tokenizer::train_on(parts, options, &pool).json(),
            Tokenizer::train(documents_of({text}), options).json());
}

}  // namespace
}  // namespace cupel
