#include "pipeline/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/run.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::pipeline {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(RunFolder, ReadsWhatARunWrote) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  RunOptions options;
  options.folder = folder / "run";
  options.config = "train: {}\n";
  options.seed = 7;
  options.threads = 1;
  {
    cupel::Run run(options);
    run.metric("loss", 1, 2.5);
    run.metric("loss", 2, NAN);
    run.reject({"data.jsonl", 3, "utf8", "bad"});
    EXPECT_EQ(read_run_folder(run.folder()).status, RunFolder::Status::running);
    run.finish("train", json::Object{{"steps", 2}});
    EXPECT_EQ(read_run_folder(run.folder()).status, RunFolder::Status::finished);
  }
  const RunFolder run = read_run_folder(folder / "run");
  EXPECT_EQ(run.status, RunFolder::Status::finished);
  EXPECT_THAT(run.verbs, ElementsAre("train"));
  EXPECT_EQ(number_at(run.report, "train.steps"), 2);
  EXPECT_EQ(text_at(run.manifest, "seed"), "7");
  ASSERT_EQ(run.metrics.at("loss").size(), 2u);
  EXPECT_EQ(run.metrics.at("loss")[0], (chart::Point{1, 2.5}));
  EXPECT_TRUE(std::isnan(run.metrics.at("loss")[1].y));
  EXPECT_EQ(run.rejects.at("utf8"), 1);
  EXPECT_THAT(run.problems, IsEmpty());
}

TEST(RunFolder, AnEmptyFolderIsARunThatStopped) {
  const TemporaryFolder folder;
  const RunFolder run = read_run_folder(folder.path());
  EXPECT_EQ(run.status, RunFolder::Status::stopped);
  EXPECT_THAT(run.verbs, IsEmpty());
  EXPECT_TRUE(run.report.is_object());
  EXPECT_THAT(run.problems, IsEmpty());
}

TEST(RunFolder, ALockThatNobodyHoldsIsNoRunningRun) {
  const TemporaryFolder folder;
  folder.write(".lock", "12345 1 x\n");
  EXPECT_EQ(read_run_folder(folder.path()).status, RunFolder::Status::stopped);
}

TEST(RunFolder, DamagedFilesAreSaidAndLeftOut) {
  const TemporaryFolder folder;
  folder.write("report.json", "{\"train\": ");
  folder.write("manifest.json", "[1]");
  folder.write("metrics.jsonl",
               "{\"step\": 1, \"name\": \"loss\", \"value\": 1e400}\n"
               "{\"step\": 2, \"name\": \"loss\", \"value\": null}\n"
               "[]\n"
               "{\"step\": \"x\", \"name\": \"loss\", \"value\": 1}\n"
               "\xff\xfe\n"
               "{\"step\": 4, \"name\": \"loss\", \"value\": 1.5}\n"
               "{\"step\": 5, \"name\": \"lo");
  const RunFolder run = read_run_folder(folder.path());
  EXPECT_EQ(run.metrics.at("loss").back(), (chart::Point{4, 1.5}));
  EXPECT_THAT(run.problems, Contains(HasSubstr("report.json:1")));
  EXPECT_THAT(run.problems, Contains("manifest.json: is no JSON object"));
  EXPECT_THAT(run.problems, Contains(HasSubstr("damaged lines passed over")));
}

TEST(RunFolder, ALongMetricIsKeptByItsExtremes) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  std::string lines;
  for (int i = 0; i < 30000; ++i) {
    lines += "{\"step\": " + std::to_string(i) +
             ", \"name\": \"loss\", \"value\": " + (i == 12345 ? "99" : "1") + "}\n";
  }
  folder.write("metrics.jsonl", lines);
  const RunFolder run = read_run_folder(folder.path());
  const std::vector<chart::Point>& points = run.metrics.at("loss");
  EXPECT_LE(points.size(), 8192u);
  EXPECT_THAT(points, Contains(chart::Point{12345, 99}));
  EXPECT_EQ(points.back().x, 29999);
}

TEST(RunFolder, ManyMetricsAreCut) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  std::string lines;
  for (int i = 0; i < 1200; ++i)
    lines += "{\"step\": 1, \"name\": \"m" + std::to_string(i) + "\", \"value\": 1}\n";
  folder.write("metrics.jsonl", lines);
  const RunFolder run = read_run_folder(folder.path());
  EXPECT_EQ(run.metrics.size(), 1000u);
  EXPECT_THAT(run.problems, ElementsAre(HasSubstr("only the first 1000 metrics")));
}

TEST(RunFolder, AMissingFolderIsAnError) {
  EXPECT_THAT(
      [] { read_run_folder("/no/such/run"); },
      throws_exactly(ErrorKind::config, "/no/such/run: no such folder; name the folder of a run"));
}

TEST(RunFolder, PathsLeadThroughObjects) {
  const json::Value value =
      json::parse(R"({"a": {"b": 2, "c": "x", "i": [1, 2.5]}, "n": null})", "test");
  EXPECT_EQ(number_at(value, "a.b"), 2);
  EXPECT_TRUE(std::isnan(number_at(value, "a.c")));
  EXPECT_TRUE(std::isnan(number_at(value, "a.b.c")));
  EXPECT_EQ(text_at(value, "a.c"), "x");
  EXPECT_EQ(interval_at(value, "a.i"), (Interval{1, 2.5}));
  EXPECT_EQ(interval_at(value, "a.b"), std::nullopt);
}

}  // namespace
}  // namespace cupel::pipeline
