#include "curate/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "base/json.h"
#include "curate/curate.h"
#include "data/unicode.h"
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

/// The lines of a pair, each cut at the bar.
std::vector<std::pair<std::string, std::string>> columns(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const std::size_t bar = line.find(" │ ");
    if (bar == std::string::npos) continue;
    out.emplace_back(line.substr(0, bar), line.substr(bar + std::string_view(" │ ").size()));
  }
  return out;
}

/// What explain shows of two equal rows.
std::vector<std::pair<std::string, std::string>> shown_pair(const std::string& text) {
  const TemporaryFolder folder;
  const std::string row = "\"text\": " + json::dump(json::Value(text)) + "}\n";
  const auto path = folder.write("a.jsonl", "{\"id\": \"a\", " + row + "{\"id\": \"b\", " + row);
  Config config;
  config.input = {{path.string()}};
  config.format.reset();
  RunOptions options;
  options.folder = folder / "run";
  cupel::Run run(options);
  cupel::curate::run(config, run);
  return columns(explain(question(folder, "b")).text());
}

TEST(Explain, BreaksLinesAtTheEdgesOfWords) {
  std::string text;
  for (unsigned i = 0; i < 60; ++i)
    text += (i > 0 ? " " : "") + std::string(1 + i % 13, static_cast<char>('a' + i % 26));
  std::string joined;
  for (const auto& [left, right] : shown_pair(text)) {
    if (left.starts_with("  dropped")) continue;
    EXPECT_LE(display_width(right), 56u);
    joined += (joined.empty() ? "" : " ") + right;
  }
  EXPECT_EQ(joined, text);
}

TEST(Explain, AlignsColumnsOfWideCharactersAndCutsWordsThatAreWider) {
  std::string wide;
  for (int i = 0; i < 40; ++i) wide += "漢字とGold，";
  const std::string text = wide + "\n" + std::string(150, 'x') + " e\u0301 end";
  std::string joined;
  std::size_t most = 0;
  const auto pairs = shown_pair(text);
  ASSERT_GT(pairs.size(), 6u);
  for (const auto& [left, right] : pairs) {
    EXPECT_EQ(display_width(left), display_width(pairs[0].first)) << left;
    EXPECT_FALSE(right.starts_with("，")) << "a mark stays with what it follows";
    most = std::max(most, display_width(right));
    if (!left.starts_with("  dropped")) joined += right;
  }
  EXPECT_GE(most, 54u);
  EXPECT_LE(most, 56u);
  EXPECT_EQ(joined, wide + std::string(150, 'x') + " e\u0301 end");
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
