#include "cli/app.h"

#include <gmock/gmock.h>

#include <iostream>
#include <string>
#include <vector>

#include "kernels/kernels.h"
#include "support/requests.h"

namespace cupel::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Outcome {
  int exit_code = 0;
  std::string out, error;
};

Outcome run_main(std::vector<std::string> words, const pipeline::Heavy& heavy = pretended_heavy()) {
  words.insert(words.begin(), "cupel");
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome;
  outcome.exit_code = main(static_cast<int>(words.size()), pointers.data(), heavy);
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.error = testing::internal::GetCapturedStderr();
  return outcome;
}

TEST(App, ARunEndsWithItsFiguresAndTheReport) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const std::string recipe = folder.write("recipe.yaml", kTrainSection + "  max_steps: 3\n");
  const Outcome outcome = run_main({"run", recipe, "--out", (folder / "run").string()});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, StartsWith("train\n  steps                 3\n"));
  EXPECT_THAT(outcome.out, HasSubstr("report: " + (folder / "run/report").string()));
}

TEST(App, JsonIsAllThatStandardOutputHolds) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const std::string recipe = folder.write("recipe.yaml", kTrainSection + "  max_steps: 3\n");
  const Outcome outcome = run_main({"train", recipe, "--json", "--out", (folder / "run").string()});
  const json::Value report = json::parse(outcome.out, "stdout");
  EXPECT_EQ(report.at("train", "").at("steps", "").as_int(""), 3);
}

TEST(App, AReportOfAVerbThatLeavesNoRunTellsWhatItTookToo) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const std::string recipe = folder.write("recipe.yaml", kTrainSection + "  max_steps: 3\n");
  for (const std::vector<std::string>& words : {std::vector<std::string>{"validate", recipe},
                                                {"plan", recipe},
                                                {"preview", recipe},
                                                {"doctor"},
                                                {"inspect", recipe + ".jsonl"},
                                                {"train", recipe, "--dry-run"},
                                                {"init", "--dry-run"},
                                                {"docs", "--dry-run"}}) {
    folder.write("recipe.yaml.jsonl", "{\"text\": \"gold\"}\n");
    std::vector<std::string> line = words;
    line.insert(line.end(), {"--json", "--threads=1"});
    const Outcome outcome = run_main(line);
    ASSERT_EQ(outcome.exit_code, 0) << words[0] << outcome.error;
    const json::Value report = json::parse(outcome.out, words[0]);
    EXPECT_GT(report.at("seconds", words[0]).as_double(words[0]), 0);
    EXPECT_GT(report.at("peak_memory_bytes", words[0]).as_int(words[0]), 0);
    EXPECT_EQ(report.at("threads", words[0]).as_int(words[0]), 1);
    EXPECT_EQ(report.at("isa_row", words[0]).as_string(words[0]), kernels().name);
  }
}

TEST(App, AnInterruptedRunTellsTheCommandThatGoesOn) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const std::string recipe = folder.write("my recipe.yaml", kTrainSection);
  pipeline::Heavy heavy;
  heavy.train = [](const pipeline::TrainStage&, cupel::Run&) -> pipeline::TrainReport {
    throw Interrupted();
  };
  const std::string out = (folder / "run").string();
  const Outcome outcome = run_main({"train", recipe, "--seed=5", "--out", out}, heavy);
  EXPECT_EQ(outcome.exit_code, 130);
  EXPECT_EQ(outcome.error, "interrupted; everything is saved\ngo on with:\n  cupel train '" +
                               recipe + "' --seed=5 --out " + out + " --resume\n");
}

TEST(App, AFullDiskTellsTheCommandThatGoesOn) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  pipeline::Heavy heavy;
  heavy.train = [](const pipeline::TrainStage&, cupel::Run&) -> pipeline::TrainReport {
    fail(ErrorKind::resource, "checkpoint-8", "the disk is full", "free some");
  };
  const Outcome outcome = run_main({"train", folder.write("recipe.yaml", kTrainSection).string(),
                                    "--out=" + (folder / "run").string()},
                                   heavy);
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_THAT(outcome.error,
              StartsWith("checkpoint-8: the disk is full; free some\ngo on with:\n"));
}

TEST(App, ErrorsGoToStandardErrorWithTheirExitCode) {
  const Outcome outcome = run_main({"trian"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.error, "trian: unknown verb; did you mean \"train\"?\n");
}

TEST(App, ADryRunPlansAndTouchesNothing) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const std::string recipe = folder.write("recipe.yaml", kTrainSection + "  max_steps: 3\n");
  const Outcome outcome =
      run_main({"train", recipe, "--dry-run", "--out", (folder / "run").string()});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("planned_memory_bytes"));
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
}

TEST(App, AReportThatCannotBePrintedIsAnError) {
  std::cout.setstate(std::ios::badbit);
  const Outcome outcome = run_main({"--version"});
  std::cout.clear();
  EXPECT_EQ(outcome.exit_code, 4);
  EXPECT_THAT(outcome.error, StartsWith("standard output: cannot be written; see that"));
}

TEST(App, WithoutWordsItHelps) {
  EXPECT_THAT(run_main({}).out, HasSubstr("Verbs\n"));
  EXPECT_EQ(run_main({}).exit_code, 0);
}

}  // namespace
}  // namespace cupel::cli
