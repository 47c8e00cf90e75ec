#include "base/run.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/atomic_file.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel {
namespace {

namespace fs = std::filesystem;

RunOptions options_in(const fs::path& folder, bool resume = false) {
  RunOptions options;
  options.folder = folder;
  options.recipe = "train: {seed: 1}\n";
  options.config = "train:\n  seed: 1\n";
  options.seed = 1;
  options.threads = 2;
  options.resume = resume;
  options.clock = [] { return 1000.5; };
  return options;
}

json::Value read_json(const fs::path& path) { return json::parse(read_file(path), path.string()); }

TEST(Run, BeginsAFolderWithRecipeAndConfig) {
  const TemporaryFolder folder;
  const cupel::Run run(options_in(folder / "deep/run"));
  EXPECT_EQ(read_file(run.folder() / "recipe.yaml"), "train: {seed: 1}\n");
  EXPECT_EQ(read_file(run.folder() / "config.yaml"), "train:\n  seed: 1\n");
  EXPECT_FALSE(run.resuming());
  EXPECT_EQ(run.threads(), 2);
}

TEST(Run, RefusesAFolderThatHoldsARunUnlessItResumes) {
  const TemporaryFolder folder;
  { const cupel::Run run(options_in(folder / "run")); }
  EXPECT_THAT([&] { cupel::Run(options_in(folder / "run")); },
              throws_exactly(ErrorKind::config,
                             (folder / "run").string() +
                                 ": holds a run or other files already; continue it with --resume, "
                                 "or choose another folder with --out"));
  EXPECT_TRUE(cupel::Run(options_in(folder / "run", true)).resuming());
  EXPECT_EQ(folder.names(),
            (std::vector<std::string>{"run", "run/config.yaml", "run/recipe.yaml"}));
}

TEST(Run, EndsWhenItsFolderIsRemovedAndMakesNoOther) {
  const TemporaryFolder folder;
  const fs::path path = folder / "run";
  cupel::Run run(options_in(path));
  const auto gone =
      throws_exactly(ErrorKind::resource,
                     path.string() +
                         ": was removed while the run wrote to it; begin the run again, and leave "
                         "its folder in place until it ends");
  fs::remove_all(path);
  EXPECT_THAT([&] { run.write("a.txt", "x"); }, gone);
  EXPECT_THAT([&] { run.write_folder("model", [](const fs::path&) {}); }, gone);
  EXPECT_THAT([&] { run.finish("train", json::Object{}); }, gone);
  EXPECT_FALSE(fs::exists(path));
}

TEST(Run, ResumesWhatNeverBegan) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "empty");
  EXPECT_FALSE(cupel::Run(options_in(folder / "empty", true)).resuming());
  EXPECT_FALSE(cupel::Run(options_in(folder / "none", true)).resuming());
}

TEST(Run, RefusesToResumeWithOtherSettings) {
  const TemporaryFolder folder;
  { const cupel::Run run(options_in(folder / "run")); }
  RunOptions other = options_in(folder / "run", true);
  other.config = "train:\n  seed: 2\n";
  EXPECT_THAT(
      [&] { const cupel::Run run(other); },
      throws_error(ErrorKind::config,
                   "config.yaml: the run was begun with other settings: line 2 was \"  seed: "
                   "1\" and is now \"  seed: 2\"; resume with the same settings"));
}

TEST(Run, RefusesToBeginWithoutSpace) {
  const TemporaryFolder folder;
  RunOptions greedy = options_in(folder / "run");
  greedy.needed_bytes = INT64_MAX;
  EXPECT_THAT([&] { const cupel::Run run(greedy); },
              throws_error(ErrorKind::resource, "run: not enough space: "));
  EXPECT_FALSE(fs::exists(folder / "run"));
}

TEST(Run, RefusesANegativeNumberOfThreads) {
  RunOptions options;
  options.threads = -1;
  EXPECT_THAT([&] { const cupel::Run run(options); },
              throws_error(ErrorKind::config, "--threads: must not be negative"));
}

TEST(Run, MetricsGoToTheFileAndToEverySink) {
  const TemporaryFolder folder;
  cupel::Run run(options_in(folder / "run"));
  std::vector<double> seen;
  run.subscribe([&](const Event& event) { seen.push_back(event.value); });
  run.metric("loss", 1, 0.5);
  run.metric("loss", 2, INFINITY);
  EXPECT_EQ(seen, (std::vector<double>{0.5, INFINITY}));
  const int64_t position = run.sync_metrics();
  EXPECT_EQ(position, static_cast<int64_t>(fs::file_size(folder / "run/metrics.jsonl")));
  EXPECT_EQ(read_file(folder / "run/metrics.jsonl"),
            "{\"step\":1,\"name\":\"loss\",\"value\":0.5,\"time\":1000.5}\n"
            "{\"step\":2,\"name\":\"loss\",\"value\":null,\"time\":1000.5}\n");
}

TEST(Run, MetricsAreCutBackToTheCheckpointOnResume) {
  const TemporaryFolder folder;
  int64_t position = 0;
  {
    cupel::Run run(options_in(folder / "run"));
    run.metric("loss", 1, 1);
    position = run.sync_metrics();
    run.metric("loss", 2, 99);
  }
  {
    cupel::Run run(options_in(folder / "run", true));
    run.cut_metrics(position);
    run.metric("loss", 2, 2);
  }
  {
    cupel::Run whole(options_in(folder / "whole"));
    whole.metric("loss", 1, 1);
    whole.metric("loss", 2, 2);
  }
  EXPECT_EQ(read_file(folder / "run/metrics.jsonl"), read_file(folder / "whole/metrics.jsonl"));
}

TEST(Run, LogAndSectionsGoToTheFileAndToSinksInOrder) {
  const TemporaryFolder folder;
  std::string told;
  {
    cupel::Run run(options_in(folder / "run"));
    run.subscribe([&](const Event& event) {
      told += std::to_string(static_cast<int>(event.kind)) + std::string(event.name) + " ";
    });
    const auto outer = run.section("outer");
    const auto inner = run.section("inner");
    run.log(LogLevel::warning, "careful");
    run.progress(1, 2, "half");
  }
  EXPECT_EQ(told, "3outer 3inner 2 1 4inner 4outer ");
  const std::string log = read_file(folder / "run/log.jsonl");
  EXPECT_TRUE(log.starts_with("{\"time\":1000.5,\"level\":\"warning\",\"text\":\"careful\"}\n"));
  EXPECT_NE(log.find("\"section\":\"inner\""), std::string::npos);
}

TEST(Run, ARejectedRowIsWrittenAndCountedOnce) {
  const TemporaryFolder folder;
  const Reject row{"a.jsonl", 3, "utf8", std::string(500, 'x')};
  std::string before;
  {
    cupel::Run run(options_in(folder / "run"));
    run.reject(row);
    run.reject(row);
    run.reject({"a.jsonl", 3, "json", "y"});
    EXPECT_EQ(run.rejected(), 2);
  }
  before = read_file(folder / "run/rejects.jsonl");
  EXPECT_EQ(before.substr(0, before.find('\n')),
            "{\"input\":\"a.jsonl\",\"line\":3,\"rule\":\"utf8\",\"text\":\"" +
                std::string(200, 'x') + "…\"}");
  {
    cupel::Run run(options_in(folder / "run", true));
    run.reject(row);
    EXPECT_EQ(run.rejected(), 2);
  }
  EXPECT_EQ(read_file(folder / "run/rejects.jsonl"), before);
}

TEST(Run, WithoutAFolderNothingIsWrittenButCounted) {
  cupel::Run run(RunOptions{});
  run.metric("loss", 1, 1);
  run.log(LogLevel::info, "x");
  run.reject({"a", 1, "r", "t"});
  run.write("a", "b");
  run.finish("train", json::Object{});
  EXPECT_FALSE(run.has_folder());
  EXPECT_EQ(run.rejected(), 1);
  EXPECT_EQ(run.sync_metrics(), 0);
}

TEST(Run, OutputsStayInsideTheFolder) {
  const TemporaryFolder folder;
  cupel::Run run(options_in(folder / "run"));
  run.write("versions/3/model.json", "{}");
  EXPECT_EQ(read_file(folder / "run/versions/3/model.json"), "{}");
  EXPECT_THAT([&] { run.write("../x", ""); }, throws_error(ErrorKind::bug, "assertion failed"));
  EXPECT_THAT([&] { run.write("/tmp/x", ""); }, throws_error(ErrorKind::bug, "assertion failed"));
  run.remove("versions");
  EXPECT_FALSE(fs::exists(folder / "run/versions"));
}

/// One whole run with an output folder and a metric; returns its manifest.
json::Value whole_run(const fs::path& folder, const fs::path& input, double seconds, int threads) {
  RunOptions options = options_in(folder);
  options.clock = [=] { return seconds; };
  options.threads = threads;
  cupel::Run run(options);
  run.record_input(input);
  run.set_manifest("isa_row", "scalar");
  run.metric("loss", 1, 0.5);
  run.write_folder(
      "model", [](const fs::path& staging) { write_file_atomically(staging / "weights", "123"); });
  run.write_folder("checkpoint-1", [](const fs::path&) {});
  run.finish("train", json::Object{{"seconds", seconds}});
  return read_json(folder / "manifest.json");
}

TEST(Run, TheManifestHoldsHashesOfInputsAndOutputs) {
  const TemporaryFolder folder;
  const fs::path input = folder.write("a.txt", "abc");
  const json::Value manifest = whole_run(folder / "run", input, 1, 1);
  EXPECT_EQ(manifest.at("inputs", "").at(input.string(), "").as_string(""), sha256("abc"));
  EXPECT_EQ(json::dump(manifest.at("outputs", "")),
            "{\"model/weights\":\"" + sha256("123") + "\"}");
  EXPECT_EQ(manifest.at("isa_row", "").as_string(""), "scalar");
  EXPECT_EQ(manifest.at("config", "").as_string(""), sha256("train:\n  seed: 1\n"));
  EXPECT_EQ(manifest.at("seed", "").as_string(""), "1");
}

TEST(Run, WhatWasReadIsInTheManifestBeforeAnythingEnds) {
  const TemporaryFolder folder;
  const fs::path input = folder.write("a.txt", "abc");
  {
    cupel::Run run(options_in(folder / "run"));
    run.record_input(input);
  }
  const json::Value begun = read_json(folder / "run/manifest.json");
  EXPECT_EQ(begun.at("inputs", "").at(input.string(), "").as_string(""), sha256("abc"));
  EXPECT_EQ(begun.find("fingerprint"), nullptr);
  whole_run(folder / "two", input, 1, 1);
  {
    cupel::Run run(options_in(folder / "two", true));
    run.record_input(folder.write("b.txt", "b"));
  }
  const json::Value resumed = read_json(folder / "two/manifest.json");
  EXPECT_EQ(resumed.at("outputs", "").as_object("").size(), 1u);
  EXPECT_EQ(resumed.find("fingerprint"), nullptr);
}

TEST(Run, TheFingerprintIsTheSameAtAnotherTimeAndWithOtherThreads) {
  const TemporaryFolder folder;
  const fs::path input = folder.write("a.txt", "abc");
  const json::Value one = whole_run(folder / "one", input, 1, 1);
  const json::Value two = whole_run(folder / "two", input, 99, 7);
  EXPECT_EQ(one.at("fingerprint", ""), two.at("fingerprint", ""));
}

TEST(Run, ReportsAreMergedByVerbAndInputsSurviveAResume) {
  const TemporaryFolder folder;
  const fs::path first = folder.write("data/a", "1"), second = folder.write("b", "2");
  {
    cupel::Run run(options_in(folder / "run"));
    run.record_input(first.parent_path());
    run.finish("curate", json::Object{{"kept", 3}});
  }
  {
    cupel::Run run(options_in(folder / "run", true));
    run.record_input(second);
    run.finish("train", json::Object{{"steps", 5}});
    run.finish("train", json::Object{{"steps", 6}});
  }
  EXPECT_EQ(json::dump(read_json(folder / "run/report.json")),
            R"({"curate":{"kept":3},"train":{"steps":6}})");
  const json::Value manifest = read_json(folder / "run/manifest.json");
  EXPECT_NE(manifest.at("inputs", "").find(first.string()), nullptr);
  EXPECT_NE(manifest.at("inputs", "").find(second.string()), nullptr);
}

TEST(Run, StopIsSeenWhenAskedFor) {
  std::atomic<bool> stop{false};
  RunOptions options;
  options.stop = &stop;
  const cupel::Run run(options);
  EXPECT_FALSE(run.stop_requested());
  stop = true;
  EXPECT_TRUE(run.stop_requested());
}

TEST(Run, StreamsComeFromSeedPurposeAndIndex) {
  RunOptions options;
  options.seed = 42;
  const cupel::Run run(options);
  EXPECT_EQ(run.stream("init", 3).next_u64(), Rng(42, "init", 3).next_u64());
  EXPECT_GE(run.seconds(), 0);
}

}  // namespace
}  // namespace cupel
