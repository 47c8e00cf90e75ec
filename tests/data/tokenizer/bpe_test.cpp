#include "data/tokenizer/bpe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/rng.h"
#include "support/errors.h"
#include "support/tokenizer_json.h"

namespace cupel {
namespace {

using testing::ElementsAre;
using Ids = std::vector<int32_t>;
using Merges = std::vector<std::pair<std::string, std::string>>;

Ids encode(const Bpe& bpe, std::string_view word) {
  Ids ids;
  bpe.encode_word(word, ids);
  return ids;
}

Bpe parse_bpe(const std::string& model) { return Bpe::parse(json::parse(model, ""), "model"); }

auto refuses_bpe(const std::string& model, const std::string& message) {
  return testing::Matches(throws_error(ErrorKind::data, message))(
      std::function<void()>([model] { parse_bpe(model); }));
}

TEST(Bpe, MergesByRankFromTheLeft) {
  const Bpe bpe = Bpe::parse(bpe_json({{"b", "c"}, {"a", "b"}, {"a", "a"}, {"aa", "a"}}), "model");
  EXPECT_THAT(encode(bpe, "abc"), ElementsAre('a', 256)) << "bc comes before ab";
  EXPECT_THAT(encode(bpe, "ab"), ElementsAre(257));
  EXPECT_THAT(encode(bpe, "aaaaa"), ElementsAre(258, 259)) << "aa aa a, then aa (aa a)";
  EXPECT_THAT(encode(bpe, "a"), ElementsAre('a'));
  EXPECT_THAT(encode(bpe, ""), ElementsAre());
}

/// Merge the pair of least rank, leftmost first, until none is left: the definition.
Ids oracle(const Merges& merges, const std::string& word) {
  std::vector<std::string> symbols;
  for (const char byte : word) symbols.emplace_back(1, byte);
  while (true) {
    std::size_t best = merges.size(), place = 0;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      for (std::size_t rank = 0; rank < best; ++rank) {
        if (merges[rank] == std::pair(symbols[i], symbols[i + 1])) best = rank, place = i;
      }
    }
    if (best == merges.size()) break;
    symbols[place] += symbols[place + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
  std::map<std::string, int32_t> ids;
  for (int byte = 0; byte < 256; ++byte) ids[std::string(1, static_cast<char>(byte))] = byte;
  for (const auto& [left, right] : merges)
    ids.emplace(left + right, static_cast<int32_t>(ids.size()));
  Ids result;
  for (const std::string& symbol : symbols) result.push_back(ids.at(symbol));
  return result;
}

TEST(Bpe, ShortAndLongWordsFollowTheDefinition) {
  Rng rng(11, "merges");
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string> tokens{"a", "b", "c"};
    Merges merges;
    while (merges.size() < 40) {
      const std::string left = tokens[rng.below(tokens.size())],
                        right = tokens[rng.below(tokens.size())];
      if (left.size() + right.size() > 12) continue;
      if (std::find(tokens.begin(), tokens.end(), left + right) != tokens.end()) continue;
      tokens.push_back(left + right);
      merges.emplace_back(left, right);
    }
    const Bpe bpe = Bpe::parse(bpe_json(merges), "model");
    for (std::size_t size : {1u, 2u, 5u, 31u, 32u, 33u, 34u, 100u, 150u}) {  // 32 is the border
      std::string word;
      while (word.size() < size) word += static_cast<char>('a' + rng.below(3));
      EXPECT_EQ(encode(bpe, word), oracle(merges, word)) << word;
    }
  }
}

TEST(Bpe, AWordOfAMegabyteTakesNoQuadraticTime) {
  const Bpe bpe = Bpe::parse(bpe_json({{"a", "a"}, {"aa", "aa"}, {"aaaa", "aaaa"}}), "model");
  EXPECT_EQ(encode(bpe, std::string(1 << 20, 'a')).size(), (1u << 20) / 8);
}

TEST(Bpe, MergesAreReadInBothSpellings) {
  const char* vocabulary = R"("vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4})";
  const std::string text(vocabulary);
  EXPECT_THAT(encode(parse_bpe("{" + text + R"(, "merges": ["a b", "ab c"]})"), "abc"),
              ElementsAre(4));
  EXPECT_THAT(encode(parse_bpe("{" + text + R"(, "merges": [["a", "b"], ["ab", "c"]]})"), "abc"),
              ElementsAre(4));
}

TEST(Bpe, OfAPairThatStandsTwiceTheLaterRankCounts) {
  const Bpe bpe = parse_bpe(R"({"vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "bc": 4},
                            "merges": ["a b", "b c", "a b"]})");
  EXPECT_THAT(encode(bpe, "abc"), ElementsAre(0, 4));
}

TEST(Bpe, IgnoreMergesTakesAWholeWordFirst) {
  json::Value model = bpe_json({{"a", "b"}});
  json::Value vocabulary = model.at("vocab", "");
  vocabulary.set("abc", 257);
  model.set("vocab", vocabulary);
  EXPECT_THAT(encode(Bpe::parse(model, "model"), "abc"), ElementsAre(256, 'c'));
  model.set("ignore_merges", true);
  EXPECT_THAT(encode(Bpe::parse(model, "model"), "abc"), ElementsAre(257));
  EXPECT_THAT(encode(Bpe::parse(model, "model"), "abcd"), ElementsAre(256, 'c', 'd'));
}

TEST(Bpe, AByteWithoutATokenIsUnknownOrAnError) {
  const std::string model = R"("vocab": {"a": 0, "?": 1}, "merges": [])";
  EXPECT_THAT([&] { encode(parse_bpe("{" + model + "}"), "ab"); },
              throws_error(ErrorKind::data, "the vocabulary has no token for byte 98"));
  EXPECT_THAT(encode(parse_bpe("{" + model + R"(, "unk_token": "?"})"), "bbabb"),
              ElementsAre(1, 1, 0, 1, 1));
  EXPECT_THAT(encode(parse_bpe("{" + model + R"(, "unk_token": "?", "fuse_unk": true})"), "bbabb"),
              ElementsAre(1, 0, 1));
}

TEST(Bpe, RefusesAVocabularyThatContradictsItself) {
  EXPECT_TRUE(refuses_bpe(
      R"({"vocab": {"a": 0, "b": 0}, "merges": []})",
      "model.vocab: \"a\" and \"b\" have the same id 0; the file is damaged; fetch it again"));
  EXPECT_TRUE(refuses_bpe(R"({"vocab": {"a": 1048576}, "merges": []})",
                          "is not in 0 to 1048575; the file is damaged; fetch"));
  EXPECT_TRUE(refuses_bpe(R"({"vocab": {"a": -1}, "merges": []})", "id -1 is not in 0 to"));
  EXPECT_TRUE(refuses_bpe(R"({"vocab": {"a": 0.5}, "merges": []})", "\"a\": expected an integer"));
  EXPECT_TRUE(refuses_bpe(R"({"vocab": {"": 0}, "merges": []})",
                          "holds an empty token; the file is damaged"));
  EXPECT_TRUE(refuses_bpe(R"({"vocab": [], "merges": []})", "model.vocab: expected an object"));
  EXPECT_TRUE(refuses_bpe(R"({"merges": []})", "missing key \"vocab\""));
  EXPECT_TRUE(refuses_bpe(R"({"vocab": {"a": 0}, "merges": [], "unk_token": "?"})",
                          "model.unk_token: is not in the vocabulary; the file is damaged"));
}

TEST(Bpe, RefusesMergesOfTokensThatAreNotThere) {
  const auto with = [](const std::string& merges) {
    return R"({"vocab": {"a": 0, "b": 1, "ab": 2}, "merges": )" + merges + "}";
  };
  EXPECT_TRUE(
      refuses_bpe(with(R"(["a b", "a x"])"), "model.merges[1]: token \"x\" is not in the voc"));
  EXPECT_TRUE(refuses_bpe(with(R"(["b a"])"), "token \"ba\" is not in the vocabulary"));
  EXPECT_TRUE(
      refuses_bpe(with(R"(["ab"])"), "expected two tokens, found \"ab\"; the file is damaged"));
  EXPECT_TRUE(refuses_bpe(with(R"(["a b c"])"), "expected two tokens"));
  EXPECT_TRUE(
      refuses_bpe(with(R"([["a"]])"), "model.merges[0]: expected two tokens; the file is damaged"));
  EXPECT_TRUE(refuses_bpe(with(R"([7])"), "model.merges[0]: expected a list"));
  EXPECT_TRUE(refuses_bpe(R"({"vocab": {"a": 0}})", "missing key \"merges\""));
}

TEST(Bpe, OfCharactersPartsEndWhereNoMergeJoins) {
  const Bpe bpe =
      Bpe::parse(json::parse(R"({"vocab": {"<unk>": 0, "a": 1, "b": 2, "_": 3, "ab": 4, "_ab": 5},
                      "merges": ["a b", "_ ab"], "unk_token": "<unk>", "fuse_unk": true})",
                             ""),
                 "model", /*byte_level=*/false);
  EXPECT_EQ(bpe.part_end("_ab_ab"), 3u) << "nothing joins b and _";
  EXPECT_EQ(bpe.part_end("a\u00e9\u00e9_"), 6u) << "unknown characters may fuse";
  EXPECT_THAT(encode(bpe, "_abba"), ElementsAre(5, 2, 1));
  EXPECT_THAT(encode(bpe, "a\u00e9\u00e9b"), ElementsAre(1, 0, 2));
}

TEST(Bpe, BytesSpellACharacterThatTheVocabularyLacks) {
  json::Object vocabulary{{"<unk>", 0}, {"a", 1}};
  for (int64_t byte = 0; byte < 256; ++byte)
    vocabulary.emplace_back(token_of_byte(static_cast<char>(byte)), byte + 2);
  json::Value model = json::Object{{"vocab", vocabulary},
                                   {"merges", json::Array{}},
                                   {"byte_fallback", true},
                                   {"unk_token", "<unk>"}};
  EXPECT_THAT(encode(Bpe::parse(model, "model", false), "a\u00e9"), ElementsAre(1, 0xc5, 0xab));
  model.set("byte_fallback", false);
  EXPECT_THAT(encode(Bpe::parse(model, "model", false), "a\u00e9"), ElementsAre(1, 0));
  model.set("unk_token", nullptr);
  EXPECT_THAT([&] { encode(Bpe::parse(model, "model", false), "a\u00e9"); },
              throws_error(ErrorKind::data, "has neither \"\u00e9\" nor an unknown token"));
}

TEST(Bpe, RefusesWhatChangesTheResultAndIsNotBuilt) {
  const auto with = [](const std::string& option) {
    return R"({"vocab": {"a": 0}, "merges": [], )" + option + "}";
  };
  EXPECT_TRUE(refuses_bpe(with(R"("dropout": 0.1)"), "model.dropout: 0.1 is not supported"));
  EXPECT_TRUE(refuses_bpe(with(R"("continuing_subword_prefix": "##")"), "\"##\" is not supported"));
  EXPECT_TRUE(refuses_bpe(with(R"("end_of_word_suffix": "</w>")"), "is not supported"));
  EXPECT_NO_THROW(parse_bpe(with(R"("dropout": null, "end_of_word_suffix": "")")));
}

}  // namespace
}  // namespace cupel
