#include "curate/curate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/atomic_file.h"
#include "base/config_doc.h"
#include "curate/curation.h"
#include "support/compress.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::curate {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

int64_t lines_of(const std::string& text) {
  return static_cast<int64_t>(std::count(text.begin(), text.end(), '\n'));
}

constexpr const char* kRows =
    "{\"id\": \"a\", \"text\": \"gold and silver\"}\n"
    "{\"id\": \"b\", \"text\": \"hm\"}\n"
    "not json\n"
    "{\"text\":\"Gold  and SILVER\",\"id\":7}\n"
    "{\"text\":\"lead and tin\"}\n"
    "{\"id\": \"c\", \"text\": 5}\n";

TEST(Curate, EveryRowHasOneFateAndTheCountsAddUp) {
  const TemporaryFolder folder;
  const Result result = curate(config_of({folder.write("a.jsonl", kRows)}), folder / "run");
  EXPECT_EQ(result.kept,
            "{\"id\": \"a\", \"text\": \"gold and silver\"}\n{\"text\":\"lead and tin\"}\n");
  EXPECT_EQ(result.report.input, 6);
  EXPECT_EQ(result.report.kept, 2);
  EXPECT_EQ(result.report.rejected, 2);
  EXPECT_THAT(result.report.dropped,
              testing::ElementsAre(testing::Pair("exact", 1), testing::Pair("format", 1),
                                   testing::Pair("near", 0)));
  EXPECT_EQ(lines_of(result.decisions), 6);
  EXPECT_EQ(lines_of(result.rejects), 2);
  EXPECT_THAT(result.decisions,
              HasSubstr("{\"row\":2,\"input\":0,\"line\":2,\"id\":\"b\",\"kept\":false,\"stage\":"
                        "\"format\",\"rule\":\"too_short\",\"value\":2.0,\"threshold\":5.0,"
                        "\"kept_id\":null}\n"));
  EXPECT_THAT(result.decisions,
              HasSubstr("\"id\":\"7\",\"kept\":false,\"stage\":\"exact\",\"rule\":\"duplicate\","
                        "\"value\":1.0,\"threshold\":1.0,\"kept_id\":\"a\",\"kept_input\":0,"
                        "\"kept_line\":1}\n"));
  EXPECT_THAT(result.decisions, HasSubstr("\"line\":5,\"id\":\"5\",\"kept\":true"));
  EXPECT_THAT(result.decisions,
              HasSubstr("\"id\":null,\"kept\":false,\"stage\":\"read\",\"rule\":\"json\""));
  EXPECT_THAT(result.rejects, HasSubstr("\"line\":6,\"rule\":\"wrong_type\""));
}

std::string generated_rows() {
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    if (i % 97 == 0) text += "{broken\n";
    const int number = i % 11 == 0 ? i / 2 : i;
    text += "{\"id\": " + std::to_string(i) + ", \"text\": \"";
    text += i % 13 == 0 ? "hm" : "the value is number " + std::to_string(number);
    text += "\"}\n";
  }
  return text;
}

TEST(Curate, TheBytesAreTheSameForAnyThreadsLimitAndCompression) {
  const TemporaryFolder folder;
  const std::string text = generated_rows();
  const fs::path path = folder / "rows.jsonl";
  write_file_atomically(path, text);
  const Result one = curate(config_of({path}), folder / "run-1");
  EXPECT_GT(one.report.dropped.at("near"), 100);
  EXPECT_GT(one.report.dropped.at("format"), 100);
  for (const int threads : {2, 7}) {
    Config config = config_of({path});
    config.memory_limit.bytes = int64_t{1} << (26 + threads % 2);
    const Result other = curate(config, folder / ("run-" + std::to_string(threads)), threads);
    EXPECT_EQ(other.kept, one.kept);
    EXPECT_EQ(other.decisions, one.decisions);
    EXPECT_EQ(other.rejects, one.rejects);
  }
  const Result packed =
      curate(config_of({folder.write("rows.jsonl.gz", gzip_bytes(text))}), folder / "run-gz", 2);
  EXPECT_EQ(packed.kept, one.kept);
  EXPECT_EQ(packed.decisions, one.decisions);
}

/// Lines of decisions.jsonl without what says in which file and line a row stands.
std::string without_places(std::string text) {
  for (const char* name : {"input", "line", "kept_input", "kept_line"}) {
    const std::string begin = ",\"" + std::string(name) + "\":";
    for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at))
      text.erase(at, text.find_first_of(",}", at + begin.size()) - at);
  }
  return text;
}

TEST(Curate, ShardsInOrderGiveTheBytesOfTheWholeCorpus) {
  const TemporaryFolder folder;
  const std::string text = generated_rows();
  const Result whole = curate(config_of({folder.write("rows.jsonl", text)}), folder / "whole");
  std::vector<fs::path> shards;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', std::min(text.size() - 1, begin + text.size() / 5)) + 1;
    const std::string name = "shard-" + std::to_string(shards.size()) + ".jsonl";
    shards.push_back(folder.write(name, text.substr(begin, end - begin)));
    begin = end;
  }
  ASSERT_EQ(shards.size(), 5u);
  const Result parts = curate(config_of(shards), folder / "parts", 2);
  EXPECT_EQ(parts.kept, whole.kept);
  EXPECT_NE(parts.decisions, whole.decisions);
  EXPECT_EQ(without_places(parts.decisions), without_places(whole.decisions));
  EXPECT_EQ(to_json(parts.report.samples), to_json(whole.report.samples));
}

TEST(Curate, SeveralInputsAreOneCorpus) {
  const TemporaryFolder folder;
  const Result result =
      curate(config_of({folder.write("a.jsonl", "{\"id\":\"x\",\"text\":\"gold and silver\"}\n"),
                        folder.write("b.csv", "text,id\ngold and silver,y\nlead and tin,z\n"),
                        folder.write("c.txt", "lead and tin\ntin and lead\n")}),
             folder / "run");
  EXPECT_EQ(
      result.kept,
      "{\"id\":\"x\",\"text\":\"gold and silver\"}\n{\"text\":\"lead and tin\",\"id\":\"z\"}\n"
      "{\"text\":\"tin and lead\"}\n");
  EXPECT_THAT(result.decisions, HasSubstr("{\"row\":2,\"input\":1,\"line\":2,\"id\":\"y\""));
  EXPECT_THAT(result.decisions, HasSubstr("\"kept_id\":\"z\",\"kept_input\":1,\"kept_line\":3}"));
}

TEST(Curate, WhatAnEarlierCorpusHoldsIsDroppedAndNamed) {
  const TemporaryFolder folder;
  const auto old = folder.write("old.jsonl", "{\"id\":\"o\",\"text\":\"gold and silver\"}\n");
  Config config = config_of({folder.write("a.jsonl", kRows)});
  config.against = {{old.string()}};
  const Result result = curate(config, folder / "run");
  EXPECT_EQ(result.kept, "{\"text\":\"lead and tin\"}\n");
  EXPECT_EQ(result.report.input, 6);
  EXPECT_EQ(result.report.against, 1);
  EXPECT_EQ(result.report.dropped.at("exact"), 2);
  EXPECT_THAT(result.decisions,
              HasSubstr("{\"row\":1,\"input\":0,\"line\":1,\"id\":\"a\",\"kept\":false,\"stage\":"
                        "\"exact\",\"rule\":\"duplicate\",\"value\":1.0,\"threshold\":1.0,"
                        "\"kept_id\":\"o\",\"kept_input\":1,\"kept_line\":1}\n"));
}

TEST(Curate, ARequiredFieldThatIsMissingDropsTheRow) {
  const TemporaryFolder folder;
  Config config = config_of({folder.write(
      "a.jsonl",
      "{\"text\":\"gold and silver\",\"label\":1}\n{\"text\":\"hm\",\"label\":\"\"}\n")});
  config.required_fields = {"label"};
  const Result result = curate(config, folder / "run");
  EXPECT_EQ(result.report.dropped_by_rule.at("format.missing_label"), 1);
  EXPECT_THAT(result.decisions, HasSubstr("\"failed\":[{\"rule\":\"missing_label\""))
      << "with the other rule that it breaks";
}

TEST(Curate, StagesThatAreOffDecideNothing) {
  const TemporaryFolder folder;
  Config config = config_of({folder.write("a.jsonl", kRows)});
  config.format.reset();
  config.dedup.exact = false;
  config.dedup.near.reset();
  const Result result = curate(config, folder / "run");
  EXPECT_EQ(result.report.kept, 4);
  EXPECT_THAT(result.report.dropped, testing::IsEmpty());
}

TEST(Curate, ACorpusOfWhichNothingIsLeftSaysWhichRuleDidIt) {
  const TemporaryFolder folder;
  Config config = config_of({folder.write("a.jsonl", kRows)});
  config.format = FormatConfig{50, 100};
  EXPECT_THAT([&] { curate(config, folder / "run"); },
              throws_error(ErrorKind::data,
                           "a.jsonl: nothing is kept: of 6 rows 4 fall to format.too_short"));
  EXPECT_EQ(lines_of(read_file(folder / "run" / "decisions.jsonl")), 6) << "written all the same";
}

TEST(Curate, RowsOfAFileThatHoldsNoneThatCanBeReadAreRejectsOneByOne) {
  const TemporaryFolder folder;
  const auto table = folder.write("a.csv", "id,text\n1\n2\n");
  const Config alone = config_of({table});
  EXPECT_THAT([&] { curate(alone, folder / "alone"); },
              throws_error(ErrorKind::data, "a.csv:2: 1 fields, the header has 2 (none of"));
  EXPECT_EQ(lines_of(read_file(folder / "alone/rejects.jsonl")), 2);
  EXPECT_EQ(lines_of(read_file(folder / "alone/decisions.jsonl")), 2);
  const Config both = config_of({table, folder.write("b.jsonl", kRows)});
  const Result result = curate(both, folder / "both");
  EXPECT_EQ(result.report.input, 8);
  EXPECT_EQ(result.report.rejected, 4);
  EXPECT_EQ(lines_of(result.rejects), 4);
  EXPECT_THAT(result.rejects, HasSubstr("a.csv\",\"line\":3,\"rule\":\"columns\""));
}

TEST(Curate, ScoresAgainstATruthThatItDoesNotUse) {
  const TemporaryFolder folder;
  Config config = config_of({folder.write("a.jsonl", kRows)});
  config.truth = {folder
                      .write("truth.csv",
                             "id,kind,dup_of\na,clean,\nb,bad_format,\n"
                             "7,exact_dup,a\n5,off_domain,\n")
                      .string()};
  const Result result = curate(config, folder / "run");
  ASSERT_TRUE(result.report.score);
  EXPECT_DOUBLE_EQ(result.report.score->residual, 0.5);
  EXPECT_EQ(result.report.score->valid_lost, 0);
  EXPECT_EQ(result.report.score->recall.at("exact_dup"), 1);
}

TEST(Curate, SamplesShowBothTextsOfAPair) {
  const TemporaryFolder folder;
  const Result result = curate(config_of({folder.write("a.jsonl", kRows)}), folder / "run");
  ASSERT_EQ(result.report.samples.size(), 2u);
  const DropSample& pair = result.report.samples[1];
  EXPECT_EQ(pair.rule, "duplicate");
  EXPECT_EQ(pair.text, "Gold  and SILVER");
  EXPECT_EQ(pair.kept_text, "gold and silver");
}

TEST(Curate, StopsWhenAskedAndLeavesNothingHalfDone) {
  const TemporaryFolder folder;
  const std::atomic<bool> stop{true};
  RunOptions options = options_in(folder / "run");
  options.stop = &stop;
  cupel::Run run(options);
  EXPECT_THROW(cupel::curate::run(config_of({folder.write("a.jsonl", kRows)}), run), Interrupted);
  EXPECT_FALSE(fs::exists(folder / "run" / "kept.jsonl"));
}

TEST(Curate, GoesOnWithThePassInWhichItWasStopped) {
  const TemporaryFolder folder;
  Config config = config_of({folder.write("a.jsonl", generated_rows())});
  config.against = {{folder.write("old.csv", "text\nlead and tin\n").string()}};
  config.topic.emplace();
  config.topic->score = TopicScore::ngram;
  config.topic->folds = 2;
  std::string near, far;
  for (int i = 0; i < 30; ++i) {
    near += "{\"text\": \"the value is number " + std::to_string(i) + "\"}\nbad\n";
    far += "{\"text\": \"gold and silver\"}\n";
  }
  config.topic->reference = {folder.write("near.jsonl", near).string()};
  config.topic->background = {folder.write("far.jsonl", far).string()};
  config.save_seconds = 0;
  const Result whole = curate(config, folder / "whole");
  EXPECT_FALSE(whole.report.resumed_from);
  EXPECT_GT(whole.report.dropped.at("near"), 100);
  for (const std::string pass : {"check", "topic", "duplicates", "write"}) {
    std::atomic<bool> stop{false};
    RunOptions options = options_in(folder / pass);
    options.stop = &stop;
    {
      cupel::Run run(options);
      run.subscribe([&](const Event& event) {
        if (event.kind == Event::Kind::section_begin && event.name == pass) stop = true;
      });
      EXPECT_THROW(cupel::curate::run(config, run), Interrupted);
    }
    stop = false;
    options.resume = true;
    cupel::Run run(options);
    const Report report = cupel::curate::run(config, run);
    EXPECT_EQ(report.resumed_from, pass);
    EXPECT_EQ(report.dropped, whole.report.dropped);
    EXPECT_EQ(to_json(report.topic), to_json(whole.report.topic));
    for (const char* name : {"kept.jsonl", "decisions.jsonl"})
      EXPECT_EQ(read_file(folder / pass / name), read_file(folder / "whole" / name)) << pass;
    run.finish("curate", to_json(report));
    EXPECT_EQ(text_of(folder / pass / "rejects.jsonl"), whole.rejects) << pass;
    EXPECT_FALSE(fs::exists(folder / pass / "checkpoint-curate")) << pass;
  }
}

TEST(CurateConfig, WantsAnInput) {
  EXPECT_THAT(Config{}.problems(), testing::ElementsAre(HasSubstr("input: missing")));
}

}  // namespace
}  // namespace cupel::curate
