#include "pipeline/report_html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"
#include "support/markup.h"

namespace cupel::pipeline {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ReportHtml, AnUnknownVerbGetsTilesAndTables) {
  const TemporaryFolder folder;
  folder.write("report.json", R"({"other": {"input": 1200, "peak_memory_bytes": 1048576,
                                  "dropped": {"exact": 3, "near": 5}, "note": "<b>"}})");
  folder.write("metrics.jsonl",
               "{\"step\": 1, \"name\": \"kept\", \"value\": 1}\n"
               "{\"step\": 2, \"name\": \"kept\", \"value\": 3}\n");
  const std::string page = report_html(folder.path());
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, HasSubstr("<dd>1,200</dd>"));
  EXPECT_THAT(page, HasSubstr("1 MiB"));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;"));
  EXPECT_EQ(count_of(page, "<figure>"), 1);
}

TEST(ReportHtml, AnEmptyFolderStillHasAPage) {
  const TemporaryFolder folder;
  const std::string page = report_html(folder.path());
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, HasSubstr("stopped before its end"));
}

TEST(ReportHtml, ATrainingThatHasNotReportedShowsItsCurves) {
  const TemporaryFolder folder;
  folder.write("metrics.jsonl",
               "{\"step\": 1, \"name\": \"loss\", \"value\": 4}\n"
               "{\"step\": 2, \"name\": \"loss\", \"value\": 3.25}\n");
  const std::string page = report_html(folder.path());
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, HasSubstr("training <b>3.25</b>"));
}

TEST(ReportHtml, EveryVerbGetsItsSection) {
  const TemporaryFolder folder;
  folder.write("report.json", R"({"train": {"val_loss": 1.5}, "eval": {"tasks": {}}, "x": [1]})");
  const std::string page = report_html(folder.path());
  EXPECT_EQ(markup_problem(page), "");
  for (const char* verb : {"<h2>train</h2>", "<h2>eval</h2>", "<h2>x</h2>"})
    EXPECT_THAT(page, HasSubstr(verb));
}

TEST(ReportHtml, RejectsAreCountedByRuleAndEscaped) {
  const TemporaryFolder folder;
  std::string lines;
  for (int i = 0; i < 12; ++i) {
    lines += "{\"input\": \"a.jsonl\", \"line\": " + std::to_string(i) + ", \"rule\": \"" +
             (i < 8 ? "utf8" : "missing_field") + "\", \"text\": \"<script>alert(1)</script>\"}\n";
  }
  folder.write("rejects.jsonl", lines);
  const std::string page = report_html(folder.path());
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, HasSubstr("<title>utf8: 8</title>"));
  EXPECT_EQ(count_of(page, "&lt;script&gt;"), 10);
}

TEST(ReportHtml, SettingsAndManifestAreShownOnRequest) {
  const TemporaryFolder folder;
  folder.write("config.yaml", "train:\n  name: \"<&>\"\n");
  folder.write("manifest.json", R"({"cupel": "0.1.0", "seed": "3", "inputs": {"a.txt": "ff"},
                                    "outputs": {}, "fingerprint": "abc"})");
  const std::string page = report_html(folder.path());
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, HasSubstr("&lt;&amp;&gt;"));
  EXPECT_THAT(page, HasSubstr("random seed 3"));
  EXPECT_EQ(count_of(page, "<details>"), 3);
  EXPECT_THAT(page, HasSubstr("badge good"));
}

TEST(ReportHtml, AMissingFolderIsAnError) {
  EXPECT_THAT([] { report_html("/no/such/run"); },
              throws_error(ErrorKind::config, "no such folder"));
}

}  // namespace
}  // namespace cupel::pipeline
