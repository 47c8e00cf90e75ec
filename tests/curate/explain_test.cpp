#include "curate/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "curate/curate.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::curate {
namespace {

using testing::HasSubstr;

/// A run over four rows, in folder/"run".
void make_run(const TemporaryFolder& folder) {
  Config config;
  config.input = {{folder
                       .write("a.jsonl",
                              "{\"id\": \"a\", \"body\": \"gold and silver\"}\n"
                              "{\"id\": \"b\", \"body\": \"hm\"}\n"
                              "{\"id\": \"c\", \"body\": \"Gold and silver\"}\n"
                              "{\"id\": \"a\", \"body\": \"lead and tin\"}\n")
                       .string()}};
  config.text_field = "body";
  config.format = FormatConfig{5, 100};
  RunOptions options;
  options.folder = folder / "run";
  cupel::Run run(options);
  cupel::curate::run(config, run);
}

ExplainConfig question(const TemporaryFolder& folder, const std::string& id) {
  return {(folder / "run").string(), id};
}

TEST(Explain, ShowsADuplicateBesideTheRowThatStays) {
  const TemporaryFolder folder;
  make_run(folder);
  const Explanation answer = explain(question(folder, "c"));
  ASSERT_EQ(answer.rows.size(), 1u);
  EXPECT_EQ(answer.rows[0].stage, "exact");
  EXPECT_EQ(answer.rows[0].row.text, "Gold and silver");
  ASSERT_TRUE(answer.rows[0].stays);
  EXPECT_EQ(answer.rows[0].stays->text, "gold and silver");
  EXPECT_EQ(answer.rows[0].stays->line, 1);
  EXPECT_THAT(answer.text(), HasSubstr("a.jsonl:3  id c: dropped by exact: duplicate (1.0, "));
  EXPECT_THAT(answer.text(), testing::ContainsRegex("Gold and silver +│ gold and silver\n"));
}

TEST(Explain, SaysWhichRuleAndThreshold) {
  const TemporaryFolder folder;
  make_run(folder);
  EXPECT_THAT(
      explain(question(folder, "b")).text(),
      HasSubstr("a.jsonl:2  id b: dropped by format: too_short (2.0, threshold 5.0)\n  hm\n"));
}

TEST(Explain, SaysWhatChangedATextAndShowsTheInput) {
  const TemporaryFolder folder;
  Config config;
  config.input = {
      {folder.write("a.jsonl", "{\"text\": \"ana@example.org, +49 30 1234567\"}\n").string()}};
  config.format.reset();
  config.pii = {{"email", "phone"}, PiiAction::mask};
  RunOptions options;
  options.folder = folder / "run";
  cupel::Run run(options);
  cupel::curate::run(config, run);
  EXPECT_THAT(explain(question(folder, "1")).text(),
              testing::EndsWith("a.jsonl:1  id 1: kept; edited by pii.email (1), pii.phone (1)\n"
                                "  ana@example.org, +49 30 1234567\n"));
}

TEST(Explain, ShowsTheEvaluationTextThatARowHolds) {
  const TemporaryFolder folder;
  const std::string text = "one two three four five six seven eight nine";
  const auto set = folder.write("set.txt", text + "\n");
  Config config;
  config.input = {{folder.write("a.txt", "gold\n" + text + ", ten\n").string()}};
  config.format.reset();
  config.decontaminate = DecontaminateConfig{};
  config.decontaminate->files = {{set.string()}};
  RunOptions options;
  options.folder = folder / "run";
  cupel::Run run(options);
  cupel::curate::run(config, run);
  EXPECT_THAT(explain(question(folder, "2")).text(),
              testing::EndsWith(
                  "a.txt:2  id 2: dropped by decontaminate: overlap (1.0, threshold 0.8)\n  " +
                  text + ", ten\nholds " + set.string() + ":1\n  " + text + "\n"));
}

TEST(Explain, ShowsEveryRowOfAnId) {
  const TemporaryFolder folder;
  make_run(folder);
  const Explanation answer = explain(question(folder, "a"));
  ASSERT_EQ(answer.rows.size(), 2u);
  EXPECT_TRUE(answer.rows[0].kept);
  EXPECT_EQ(answer.rows[1].row.text, "lead and tin");
}

TEST(Explain, DoesWithoutAnInputThatIsGone) {
  const TemporaryFolder folder;
  make_run(folder);
  std::filesystem::remove(folder / "a.jsonl");
  const Explanation answer = explain(question(folder, "c"));
  EXPECT_EQ(answer.rows[0].stays->id, "a");
  EXPECT_EQ(answer.rows[0].stays->text, "");
}

TEST(Explain, NamesWhatIsMissing) {
  const TemporaryFolder folder;
  make_run(folder);
  EXPECT_THAT([&] { explain(question(folder, "zzz")); },
              throws_error(ErrorKind::config, "decisions.jsonl: no row has the id \"zzz\""));
  EXPECT_THAT(
      [&] {
        explain({folder.path().string(), "a"});
      },
      throws_error(ErrorKind::config, "holds no decisions.jsonl"));
  EXPECT_THAT([&] { explain({}); }, throws_error(ErrorKind::config, "no run or no id is named"));
}

}  // namespace
}  // namespace cupel::curate
