#include "curate/semantic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <sstream>

#include "base/atomic_file.h"
#include "base/error.h"
#include "curate/curate.h"
#include "curate/explain.h"
#include "curate/topic_texts.h"
#include "data/read.h"
#include "nn/encoder.h"
#include "support/files.h"
#include "support/reference_loops.h"

namespace cupel::curate {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Of a text, the sum of a random vector a word, made a unit vector: the order of words means
/// nothing.
Embedder bag_of_words() {
  constexpr std::size_t kDim = 160;
  const auto embed = [](std::span<const std::string_view> documents) {
    std::map<std::string, std::vector<double>> of_words;
    std::vector<float> vectors;
    for (const std::string_view document : documents) {
      std::vector<std::string> words;
      std::istringstream stream{std::string(document)};
      for (std::string word; stream >> word;) words.push_back(word);
      std::sort(words.begin(), words.end());
      std::vector<double> sum(kDim);
      for (const std::string& word : words) {
        std::vector<double>& of_word = of_words[word];
        Rng rng(hash64(word), "word");
        while (of_word.size() < kDim) of_word.push_back(rng.normal());
        std::transform(sum.begin(), sum.end(), of_word.begin(), sum.begin(), std::plus());
      }
      double squares = 0;
      for (const double element : sum) squares += element * element;
      for (const double element : sum)
        vectors.push_back(static_cast<float>(element / std::sqrt(squares)));
    }
    return vectors;
  };
  return {static_cast<int64_t>(kDim), embed, "bag of words"};
}

struct SemanticResult {
  Report report;
  std::string kept, decisions;
};

SemanticResult curate(const Config& config, const fs::path& folder, int threads = 1,
                      const std::atomic<bool>* stop = nullptr) {
  RunOptions options;
  options.folder = folder;
  options.threads = threads;
  options.stop = stop;
  cupel::Run run(options);
  SemanticResult result;
  result.report = cupel::curate::run(config, bag_of_words(), run);
  result.kept = read_file(folder / "kept.jsonl");
  result.decisions = read_file(folder / "decisions.jsonl");
  return result;
}

Config semantic_config(const fs::path& input) {
  Config config;
  config.input = {{input.string()}};
  config.format.reset();
  config.dedup = {false, std::nullopt};
  config.semantic = SemanticConfig{};
  return config;
}

constexpr const char* kAlikeRows =
    "{\"id\": \"a\", \"text\": \"gold and silver\"}\n"
    "{\"id\": \"b\", \"text\": \"lead with tin\"}\n"
    "{\"id\": \"c\", \"text\": \"silver and gold\"}\n"
    "{\"id\": \"d\", \"text\": \"tin with lead\"}\n";

TEST(Semantic, ARowThatMeansTheSameAsAKeptOneGoesAndTheDecisionNamesIt) {
  const TemporaryFolder folder;
  const SemanticResult result =
      curate(semantic_config(folder.write("a.jsonl", kAlikeRows)), folder / "run");
  EXPECT_EQ(result.kept,
            "{\"id\": \"a\", \"text\": \"gold and silver\"}\n"
            "{\"id\": \"b\", \"text\": \"lead with tin\"}\n");
  EXPECT_EQ(result.report.dropped.at("semantic"), 2);
  EXPECT_THAT(result.report.stages, testing::ElementsAre("semantic"));
  EXPECT_THAT(
      result.decisions,
      testing::ContainsRegex("\"id\":\"c\",\"kept\":false,\"stage\":\"semantic\",\"rule\":"
                             "\"duplicate\",\"value\":(1\\.0|0\\.999999[0-9]+),\"threshold\":0.85,"
                             "\"kept_id\":\"a\",\"kept_input\":0,\"kept_line\":1}"));
  const SemanticReport& report = result.report.semantic.value();
  EXPECT_EQ(report.encoder, "bag of words");
  EXPECT_EQ(report.mode, "duplicate");
  EXPECT_EQ(report.vectors, 4);
  EXPECT_EQ(report.pairs, 6);
  EXPECT_GT(report.sentences_per_second, 0);
}

TEST(Semantic, ExplainShowsBothTexts) {
  const TemporaryFolder folder;
  curate(semantic_config(folder.write("a.jsonl", kAlikeRows)), folder / "run");
  const std::string text = explain({(folder / "run").string(), "d"}).text();
  EXPECT_THAT(text, testing::ContainsRegex(
                        "id d: dropped by semantic: duplicate .(1|0\\.99).*, threshold 0.85"));
  EXPECT_THAT(text, testing::ContainsRegex("tin with lead +│ lead with tin\n"));
}

TEST(Semantic, LooksOnlyAtRowsThatNothingElseHasDropped) {
  const TemporaryFolder folder;
  Config config = semantic_config(folder.write(
      "a.jsonl", "{\"text\":\"gold!\"}\n{\"text\":\"gold  !\"}\n{\"text\":\"gold and silver\"}\n"));
  config.format = FormatConfig{6, 100};
  const SemanticResult result = curate(config, folder / "run");
  EXPECT_EQ(result.report.dropped.at("format"), 1);
  EXPECT_EQ(result.report.semantic->vectors, 2);
}

TEST(Semantic, WhatAnEarlierCorpusHoldsCountsAsKept) {
  const TemporaryFolder folder;
  Config config = semantic_config(folder.write("a.jsonl", kAlikeRows));
  const std::string row = "{\"id\":\"o\",\"text\":\"silver gold and\"}\n";
  config.against = {{folder.write("old.jsonl", row + row).string()}};
  const SemanticResult result = curate(config, folder / "run");
  EXPECT_EQ(result.kept, "{\"id\": \"b\", \"text\": \"lead with tin\"}\n");
  EXPECT_EQ(result.report.semantic->references, 2);
  EXPECT_THAT(result.decisions, HasSubstr("\"id\":\"a\",\"kept\":false,\"stage\":\"semantic\""));
  EXPECT_THAT(result.decisions, HasSubstr("\"kept_id\":\"o\",\"kept_input\":1,\"kept_line\":1}"));
}

TEST(Semantic, KeepsWhatIsCloseToAReferenceAndSaysHowFarTheOthersAre) {
  const TemporaryFolder folder;
  Config config = semantic_config(folder.write("a.jsonl", kAlikeRows));
  config.semantic->mode = SemanticMode::reference;
  config.semantic->reference = {
      folder.write("wanted.jsonl", "{\"text\":\"and silver gold\"}\n{\"text\":\"zinc\"}\n")
          .string()};
  const SemanticResult result = curate(config, folder / "run");
  EXPECT_EQ(result.report.kept, 2) << "both, though they mean the same";
  EXPECT_EQ(result.report.dropped_by_rule.at("semantic.far"), 2);
  EXPECT_EQ(result.report.semantic->references, 2);
  EXPECT_THAT(result.decisions,
              testing::ContainsRegex("\"id\":\"b\",\"kept\":false,\"stage\":\"semantic\",\"rule\":"
                                     "\"far\",\"value\":-?0\\.[01][0-9]+,\"threshold\":0.85,"
                                     "\"kept_id\":null}"));
}

TEST(Semantic, TellsHowCloseRowsAreOnBothSidesOfTheThreshold) {
  const TemporaryFolder folder;
  // A copy; a sentence of 16 words, 15 of them shared (about 0.94); one that nothing is near.
  const std::string body = "a b c d e f g h i j k l m n o ";
  Config config = semantic_config(
      folder.write("a.txt", body + "gold\n" + body + "gold\n" + body + "lead\ngold and silver\n"));
  config.semantic->similarity = 0.99;
  const SemanticReport report = curate(config, folder / "run").report.semantic.value();
  ASSERT_EQ(report.cosines.size(), 2u);
  EXPECT_EQ(report.cosines[0].kept, 1);
  EXPECT_EQ(report.cosines[0].dropped, 0);
  EXPECT_GE(report.cosines[0].from, 0.89);
  EXPECT_LE(report.cosines[0].to, 0.99);
  EXPECT_NEAR(report.cosines[0].to - report.cosines[0].from, 0.02, 1e-12);
  EXPECT_EQ(report.cosines[1].kept, 0);
  EXPECT_EQ(report.cosines[1].dropped, 1);
  EXPECT_EQ(report.cosines[1].from, 0.99);
  EXPECT_EQ(report.cosines[1].to, 1);
}

/// Rows by side of the threshold, all bins together.
std::pair<int64_t, int64_t> kept_and_dropped(const SemanticReport& report) {
  std::pair<int64_t, int64_t> sums;
  for (const CosineBin& bin : report.cosines) {
    EXPECT_TRUE(bin.to <= report.similarity ? bin.dropped == 0 || report.mode == "reference"
                                            : bin.kept == 0 || report.mode == "reference");
    sums.first += bin.kept;
    sums.second += bin.dropped;
  }
  return sums;
}

TEST(Semantic, EveryRowHasItsPlaceInTheHistogramOfAReference) {
  const TemporaryFolder folder;
  Config config = semantic_config(folder.write("rows.jsonl", kAlikeRows));
  config.semantic->mode = SemanticMode::reference;
  config.semantic->reference = {folder.write("wanted.txt", "and silver gold\n").string()};
  for (const double similarity : {-1.0, 0.0, 0.85, 0.9999}) {
    config.semantic->similarity = similarity;
    const Report report = curate(config, folder / ("run" + std::to_string(similarity))).report;
    const auto [kept, dropped] = kept_and_dropped(report.semantic.value());
    EXPECT_EQ(kept + dropped, 4);
    EXPECT_EQ(kept, report.kept) << similarity;
  }
}

/// Six times as many texts as a batch holds, of which every fifth shuffles an earlier one.
std::string many_rows() {
  std::vector<std::string> texts = texts_about(kBody, 3200, 3);
  Rng rng(4, "shuffles");
  std::string rows;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i % 5 == 4) {
      std::vector<std::string> words;
      std::istringstream stream(texts[rng.below(i)]);
      for (std::string word; stream >> word;) words.push_back(word);
      rng.shuffle(words);
      texts[i].clear();
      for (const std::string& word : words) texts[i] += word + " ";
    }
    rows += "{\"id\":" + std::to_string(i) + ",\"text\":\"" + texts[i] + "\"}\n";
  }
  return rows;
}

/// Which of the rows stay, each compared with every kept one.
std::vector<std::string> kept_by_every_pair(const fs::path& path, double similarity) {
  const Corpus corpus = read_corpus(path, {}, nullptr);
  std::vector<std::string_view> texts;
  for (const Document& document : corpus.documents) texts.emplace_back(document.text);
  const Embedder embedder = bag_of_words();
  const std::vector<float> vectors = embedder.embed(texts);
  const auto dim = static_cast<std::size_t>(embedder.dim);
  std::vector<std::size_t> kept;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const bool repeats = std::any_of(kept.begin(), kept.end(), [&](std::size_t j) {
      return dot(&vectors[i * dim], &vectors[j * dim], embedder.dim) >= similarity;
    });
    if (repeats) continue;
    kept.push_back(i);
    ids.push_back(corpus.documents[i].id);
  }
  return ids;
}

TEST(Semantic, IsExactAndTheBytesAreTheSameForAnyThreadsAndLimit) {
  const TemporaryFolder folder;
  Config config = semantic_config(folder.write("rows.jsonl", many_rows()));
  config.semantic->similarity = 0.97;
  const SemanticResult one = curate(config, folder / "run-1");
  std::vector<std::string> ids;
  for (const Document& document : read_corpus(folder / "run-1/kept.jsonl", {}, nullptr).documents)
    ids.push_back(document.id);
  EXPECT_EQ(ids, kept_by_every_pair(folder / "rows.jsonl", 0.97));
  EXPECT_GT(one.report.dropped.at("semantic"), 550);
  EXPECT_GT(one.report.kept, 2048) << "more than a block";
  EXPECT_EQ(kept_and_dropped(*one.report.semantic).second, one.report.dropped.at("semantic"));
  for (const int threads : {2, 7}) {
    config.memory_limit.bytes = threads == 2 ? 1 << 16 : INT64_C(1) << 31;
    const SemanticResult other =
        curate(config, folder / ("run-" + std::to_string(threads)), threads);
    EXPECT_EQ(other.kept, one.kept);
    EXPECT_EQ(other.decisions, one.decisions);
  }
}

TEST(Semantic, StopsWhenAsked) {
  const TemporaryFolder folder;
  RowStore rows({});
  ParserPool parsers("text", "id", {});
  rows.begin_file("a.txt");
  rows.add({"{\"text\":\"gold\"}", 1, -1, nullptr}, 0, 0, 0);
  const std::atomic<bool> stop{true};
  RunOptions options;
  options.stop = &stop;
  cupel::Run run(options);
  EXPECT_THROW(drop_by_meaning({}, bag_of_words(), "text", parsers, rows, 0, 1 << 20, run),
               Interrupted);
}

TEST(SemanticConfig, AReferenceGoesWithItsMode) {
  Config config;
  config.input = {{"a.jsonl"}};
  config.semantic.emplace().mode = SemanticMode::reference;
  EXPECT_THAT(config.problems(), testing::ElementsAre(HasSubstr("goes with mode: reference")));
  config.semantic.emplace().reference = {"a.jsonl"};
  EXPECT_THAT(config.problems(), testing::ElementsAre(HasSubstr("goes with mode: reference")));
  config.semantic->mode = SemanticMode::reference;
  EXPECT_THAT(config.problems(), testing::IsEmpty());
}

// ---- what 0.85 means: the default model on edited and on different abstracts ----

struct Pairs {
  std::vector<std::string> texts;  // two a pair
  std::vector<bool> same;
};

/// Every twentieth pair of the file.
Pairs read_pairs(const fs::path& path) {
  Pairs pairs;
  for_each_row(
      path, {},
      [&](json::Value&& row, int64_t line) -> std::optional<RowProblem> {
        const std::string where = "near_dup_pairs";
        if (line % 20 != 0) return std::nullopt;
        pairs.texts.push_back(row.at("a", where).as_string(where));
        pairs.texts.push_back(row.at("b", where).as_string(where));
        pairs.same.push_back(row.at("is_dup", where).as_int(where) == 1);
        return std::nullopt;
      },
      nullptr);
  return pairs;
}

fs::path pairs_file() {
  const char* asked = std::getenv("CUPEL_DATA");
  const fs::path data =
      asked != nullptr ? fs::path(asked) : fs::path(CUPEL_SOURCE_DIR) / "../shared/data";
  return data / "dirty_medical/near_dup_pairs.jsonl.gz";
}

TEST(Semantic, TheDefaultThresholdTellsEditedCopiesFromOtherTexts) {
  if (!fs::exists(pairs_file())) GTEST_SKIP() << "no dirty_medical; set CUPEL_DATA";
  fs::path folder;
  try {
    folder = nn::default_encoder_folder();
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  Pairs pairs = read_pairs(pairs_file());
  ASSERT_EQ(pairs.same.size(), 40u);
  if (kSanitized) {  // the first ten hold both kinds
    pairs.same.resize(10);
    pairs.texts.resize(20);
  }
  ThreadPool pool(available_threads());
  const nn::Encoder encoder = nn::Encoder::load(folder);
  const std::vector<std::string_view> views(pairs.texts.begin(), pairs.texts.end());
  const std::vector<float> vectors = encoder.encode(views, pool);
  const auto dim = static_cast<std::size_t>(encoder.width());
  const auto cosine = [&](std::size_t pair) {
    double sum = 0;
    for (std::size_t k = 0; k < dim; ++k)
      sum += static_cast<double>(vectors[2 * pair * dim + k]) *
             static_cast<double>(vectors[(2 * pair + 1) * dim + k]);
    return sum;
  };
  for (const double similarity : {0.8, 0.85, 0.9, 0.95}) {
    double found = 0, right = 0, copies = 0;
    for (std::size_t pair = 0; pair < pairs.same.size(); ++pair) {
      copies += pairs.same[pair];
      if (cosine(pair) < similarity) continue;
      ++found;
      right += pairs.same[pair];
    }
    std::printf("cosine %.2f: precision %.4f, recall %.4f\n", similarity, right / found,
                right / copies);
    if (similarity == 0.85) {
      EXPECT_GE(right / found, 0.95);
      EXPECT_GE(right / copies, 0.95);
    }
  }
}

}  // namespace
}  // namespace cupel::curate
