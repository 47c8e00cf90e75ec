#include "pipeline/execute.h"

#include <gmock/gmock.h>

#include <new>
#include <stdexcept>

#include "base/atomic_file.h"
#include "support/errors.h"
#include "support/requests.h"

namespace cupel::pipeline {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

constexpr const char* kTwoStages =
    "stages:\n"
    "  - train: {model: {}, datasets: [{type: arithmetic}], max_steps: 3}\n"
    "  - train: {base_model: \"${train.model}\", datasets: [{type: arithmetic}], max_steps: 4}\n";

int calls = 0;

TrainReport counted(const TrainStage& config, Run& run) {
  ++calls;
  return pretend_to_train(config, run);
}

TEST(Execute, LeavesARunFolderWithAReportOfEveryStage) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const Request request = request_for(folder, "run", kTrainSection + "  max_steps: 3\n");
  const Executed done = execute(request, folder / "run");
  const json::Value& report = done.report.at("train", "report");
  EXPECT_EQ(report.at("steps", "report").as_int("steps"), 3);
  for (const char* field : {"seconds", "peak_memory_bytes", "threads", "isa_row"})
    EXPECT_NE(report.find(field), nullptr) << field;
  EXPECT_EQ(json::parse(read_file(folder / "run/report.json"), "report.json"), done.report);
  EXPECT_EQ(read_file(folder / "run/recipe.yaml"), request.recipe.text);
  EXPECT_EQ(read_file(folder / "run/config.yaml"), resolved_config(request.recipe));
  EXPECT_THAT(read_file(folder / "run/manifest.json"), HasSubstr("\"isa_row\""));
}

TEST(Execute, ARepeatedStageHasItsOwnFolderAndReadsTheOneBefore) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const Executed done = execute(request_for(folder, "run", kTwoStages), folder / "run");
  EXPECT_EQ(done.report.at("train-2", "report").at("steps", "report").as_int("steps"), 4);
  EXPECT_EQ(read_file(folder / "run/train-2/model/weights"),
            "base " + (folder / "run/model").string() + "\n");
  const std::string manifest = read_file(folder / "run/manifest.json");
  EXPECT_THAT(manifest, HasSubstr("\"train-2/model/weights\""));
  EXPECT_THAT(manifest, Not(HasSubstr("train-2/config.yaml")));
}

TEST(Execute, AResumedRunSkipsWhatIsFinishedAndUnchanged) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  Request request = request_for(folder, "run", kTwoStages);
  request.heavy.train = &counted;
  calls = 0;
  const Executed first = execute(request, folder / "run");
  EXPECT_EQ(calls, 2);
  request.line.flags.resume = true;
  EXPECT_EQ(execute(request, folder / "run").report, first.report);
  EXPECT_EQ(calls, 2);
}

TEST(Execute, AResumedRunWritesThePageThatAKillLeftOut) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  Request request = request_for(folder, "run", kTwoStages);
  execute(request, folder / "run");
  const std::string page = read_file(folder / "run/report.html");
  remove_path(folder / "run/report.html");
  request.line.flags.resume = true;
  execute(request, folder / "run");
  EXPECT_EQ(read_file(folder / "run/report.html"), page);
}

TEST(Execute, AStageWhoseOutputChangedIsRunAgainWithAllThatFollow) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  Request request = request_for(folder, "run", kTwoStages);
  request.heavy.train = &counted;
  execute(request, folder / "run");
  request.line.flags.resume = true;
  calls = 0;
  folder.write("run/model/weights", "changed");
  execute(request, folder / "run");
  EXPECT_EQ(calls, 2);
  remove_path(folder / "run/train-2/model");
  execute(request, folder / "run");
  EXPECT_EQ(calls, 3);
}

TEST(Execute, AnEvaluationWhosePredictionsAreGoneIsRunAgain) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  folder.write("model/config.json", "{}");
  Request request = request_for(folder, "eval",
                                "eval: {model: model, tasks: [{source: arithmetic, type: "
                                "exact_match, rows: 2}]}\n");
  request.heavy.load_model = [](const Path&, cupel::Run&) {
    ++calls;
    LanguageModel model;
    model.generate = [](std::string_view, const GenerateOptions&, const auto&) -> std::string {
      return "?";
    };
    return model;
  };
  calls = 0;
  execute(request, folder / "run");
  request.line.flags.resume = true;
  execute(request, folder / "run");
  EXPECT_EQ(calls, 1);
  remove_path(folder / "run/predictions.jsonl");
  execute(request, folder / "run");
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(std::filesystem::exists(folder / "run/predictions.jsonl"));
}

TEST(Execute, AResumedClaimThatMissedItsBarIsStillAMiss) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  folder.write("claims/one.yaml",
               "id: one\nstatement: It gains\nprotocol: learning\n"
               "metrics: [{name: gain, bar: \">= 2\"}]\nfull: {seeds: [1]}\nquick: {seeds: [1]}\n");
  // What a seed that was measured leaves, so that nothing is trained here.
  folder.write("run/claims/one/1.json", "{\"settings\": \"" + sha256("learning\n{}\n") +
                                            "\", \"values\": {\"gain\": {\"value\": 1}}}");
  Request request = request_for(folder, "run", "claims: {folder: claims}\n");
  request.line.flags.resume = true;
  for (int i = 0; i < 2; ++i) {
    const Executed done = execute(request, folder / "run");
    EXPECT_EQ(done.exit_code, 1);
    EXPECT_THAT(done.texts.at(0), HasSubstr("gain"));
  }
}

TEST(Execute, AResumedRunRefusesAnInputThatChanged) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  folder.write("text.txt", "gold");
  Request request =
      request_for(folder, "run", "train: {model: {}, datasets: [{path: text.txt}]}\n");
  request.heavy.train = [](const TrainStage& config, cupel::Run& run) {
    run.record_input(config.datasets[0].path.text);
    return pretend_to_train(config, run);
  };
  execute(request, folder / "run");
  request.line.flags.resume = true;
  EXPECT_NO_THROW(execute(request, folder / "run"));
  folder.write("text.txt", "lead");
  EXPECT_THAT([&] { execute(request, folder / "run"); },
              throws_error(ErrorKind::config, "text.txt: was changed since the run in "));
}

TEST(Execute, EveryManifestNamesKernelRowAndLibTorch) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  Request request = request_for(folder, "run", kTwoStages);
  request.heavy.libraries = []() -> json::Value { return json::Object{{"libtorch", "2.11.0"}}; };
  execute(request, folder / "run");
  for (const char* name : {"run/manifest.json", "run/train-2/manifest.json"}) {
    const json::Value manifest = json::parse(read_file(folder / name), name);
    EXPECT_NE(manifest.find("isa_row"), nullptr) << name;
    EXPECT_EQ(manifest.at("libtorch", name).as_string(name), "2.11.0");
  }
}

TEST(Execute, TheConfigOfARunIsARecipeThatReadsFromAnyFolder) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  folder.write("text.txt", "gold");
  const Request request =
      request_for(folder, "run", "threads: 1\ntrain: {model: {}, datasets: [{path: text.txt}]}\n");
  execute(request, folder / "run");
  CommandLine line;
  line.verb = &find_verb("validate");
  line.words = {(folder / "run/config.yaml").string()};
  const Request again = make_request(line, {});
  EXPECT_EQ(again.recipe.threads, 1);
  EXPECT_EQ(resolved_config(again.recipe), read_file(folder / "run/config.yaml"));
}

TEST(Execute, AFolderThatHoldsARunIsRefusedWithoutResume) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const Request request = request_for(folder, "run", kTrainSection);
  execute(request, folder / "run");
  EXPECT_THAT([&] { execute(request, folder / "run"); },
              throws_error(ErrorKind::config,
                           "holds a run or other files already; continue it with "
                           "--resume"));
}

TEST(Execute, AStopBetweenTwoStagesKeepsTheFirst) {
  static std::atomic<bool> stop{false};
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  Request request = request_for(folder, "run", kTwoStages);
  stop = false;
  request.stop = &stop;
  request.heavy.train = [](const TrainStage& config, cupel::Run& run) {
    stop = true;
    return pretend_to_train(config, run);
  };
  EXPECT_THROW(execute(request, folder / "run"), Interrupted);
  EXPECT_THAT(read_file(folder / "run/report.json"), HasSubstr("\"train\""));
}

/// What execute makes of what a stage throws.
template <class Thrown>
void expect_boundary(TrainReport (*train)(const TrainStage&, Run&), const Thrown& matcher) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  Request request = request_for(folder, "run", kTrainSection);
  request.heavy.train = train;
  EXPECT_THAT([&] { execute(request, folder / "run"); }, matcher);
}

TEST(ErrorBoundary, AForeignExceptionBecomesOneLineOfExternal) {
  expect_boundary(
      [](const TrainStage&, cupel::Run&) -> TrainReport {
        throw std::runtime_error("size mismatch\nException raised from matmul (most recent call)");
      },
      throws_exactly(ErrorKind::external,
                     "[train]: size mismatch; cupel doctor shows what is installed"));
}

TEST(ErrorBoundary, MemoryThatCannotBeHadIsAResource) {
  expect_boundary([](const TrainStage&, cupel::Run&) -> TrainReport { throw std::bad_alloc(); },
                  throws_error(ErrorKind::resource, "[train]: out of memory; lower"));
  expect_boundary(
      [](const TrainStage&, cupel::Run&) -> TrainReport {
        throw std::runtime_error("DefaultCPUAllocator: can't allocate memory: you tried …\nstack");
      },
      throws_error(ErrorKind::resource, "you tried …; lower micro_batch_size"));
}

TEST(ErrorBoundary, OurOwnErrorsPassUnchanged) {
  expect_boundary(
      [](const TrainStage&, cupel::Run&) -> TrainReport {
        fail(ErrorKind::numeric, "[train]", "the loss is NaN", "lower learning_rate");
      },
      throws_exactly(ErrorKind::numeric, "[train]: the loss is NaN; lower learning_rate"));
}

TEST(NewRunFolder, IsNamedAfterTheVerbAndTheTime) {
  Request request;
  request.line.verb = &find_verb("train");
  EXPECT_THAT(run_folder(request).string(),
              MatchesRegex("runs/train-[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4}"));
  request.line.flags.out = {"mine"};
  EXPECT_EQ(run_folder(request), "mine");
}

TEST(NeedsHeavyProgram, OnlyForStagesThatTrainAndOnlyInTheLightProgram) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  Request request = request_for(folder, "run", kTrainSection);
  EXPECT_FALSE(needs_heavy_program(request));
  request.heavy = {};
  EXPECT_TRUE(needs_heavy_program(request));
  request.line.verb = &find_verb("validate");
  EXPECT_FALSE(needs_heavy_program(request));
}

}  // namespace
}  // namespace cupel::pipeline
