#include "pipeline/eval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "base/atomic_file.h"
#include "base/config_yaml.h"
#include "data/arithmetic.h"
#include "data/tokenizer/tokenizer.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/markup.h"

namespace cupel::pipeline::eval {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

RunOptions options_in(const std::filesystem::path& folder) {
  RunOptions options;
  options.folder = folder;
  options.seed = 5;
  options.threads = 1;
  return options;
}

/// Every byte is a token of probability 2^-bits.
LikelihoodScorer uniform_bytes(double bits) {
  return [bits](std::string_view, std::string_view target) {
    const auto bytes = static_cast<int64_t>(target.size());
    return Likelihood{-bits * std::log(2.0) * static_cast<double>(bytes), bytes};
  };
}

/// Repeats an answer, whatever is asked.
LanguageModel always(const std::string& answer) {
  return {[answer](std::string_view, const GenerateOptions&, const auto&) { return answer; },
          uniform_bytes(8)};
}

/// Solves arithmetic problems with the generator's own solutions, and fails every third.
LanguageModel solver(uint64_t seed, int64_t rows) {
  Rng rng(seed, "arithmetic test problems");
  ProblemOptions options;
  options.split = ProblemSplit::test;
  const auto problems =
      std::make_shared<std::vector<Problem>>(generate_problems(rng, rows, options));
  return {[problems, asked = 0](std::string_view prompt, const GenerateOptions&,
                                const auto&) mutable -> std::string {
            for (const Problem& problem : *problems) {
              if (problem.prompt == prompt) return ++asked % 3 == 0 ? "no" : problem.completion;
            }
            return "unknown prompt";
          },
          {}};
}

TaskConfig text_task(const std::filesystem::path& path, double held_out) {
  TaskConfig task;
  task.path = {path.string()};
  task.held_out = held_out;
  return task;
}

TEST(Eval, AUniformModelHasItsBitsAndNoSpread) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "line " + std::to_string(i) + "\n";
  cupel::Run run(options_in(folder / "run"));
  Config config{.model = {"model"}, .tasks = {text_task(folder.write("t.txt", text), 0)}};
  const Report report = eval::run(config, {{}, uniform_bytes(3)}, run);
  const TaskReport& task = report.tasks.at("t");
  EXPECT_EQ(task.metric, "bits_per_byte");
  EXPECT_NEAR(task.value, 3, 1e-9);
  EXPECT_NEAR(task.interval[0], 3, 1e-9);
  EXPECT_NEAR(task.interval[1], 3, 1e-9);
  EXPECT_EQ(task.bytes, static_cast<int64_t>(text.size()));
  EXPECT_NEAR(task.nats_per_token.value(), 3 * std::log(2.0), 1e-9);
  EXPECT_EQ(count_of(read_file(run.folder() / "predictions.jsonl"), "\n"), task.n);
}

TEST(Eval, OnlyTheHeldOutPartIsWeighed) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  std::string first, last;
  for (int i = 0; i < 90; ++i) first += "aaaaaaaaa\n";
  for (int i = 0; i < 10; ++i) last += "bbbbbbbbb\n";
  std::string weighed;
  LanguageModel model;
  model.likelihood = [&](std::string_view, std::string_view target) {
    weighed += target;
    return Likelihood{-1, 1};
  };
  cupel::Run run(options_in({}));
  const auto path = folder.write("t.txt", first + last);
  eval::run({.model = {"m"}, .tasks = {text_task(path, 0.1)}}, model, run);
  EXPECT_EQ(weighed, last);
}

TEST(Eval, TheBaselineSeesTheKeptPartAndTheSameText) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  std::string text;
  for (int i = 0; i < 4000; ++i) text += i % 3 == 0 ? "the cat sat\n" : "a dog ran on\n";
  std::filesystem::create_directory(folder / "model");
  Tokenizer::train({{"", text, 1}}, {.vocab_size = 280, .pattern = {}, .bos_token = {}})
      .save(folder / "model");
  TaskConfig task = text_task(folder.write("t.txt", text), 0.1);
  task.baseline.emplace().order = 3;
  cupel::Run run(options_in({}));
  const Report report = eval::run({.model = {(folder / "model").string()}, .tasks = {task}},
                                  {{}, uniform_bytes(2)}, run);
  const BaselineReport& baseline = report.tasks.at("t").baseline.value();
  EXPECT_EQ(baseline.name, "3-gram, modified Kneser-Ney");
  EXPECT_GT(baseline.value, 0.05);
  EXPECT_LT(baseline.value, 0.5);  // two lines, one of three: 0.92 bits a line of 12 bytes
  EXPECT_NEAR(baseline.margin, baseline.value - 2, 1e-9);
  EXPECT_LE(baseline.margin_interval[0], baseline.margin);
  EXPECT_GE(baseline.margin_interval[1], baseline.margin);
}

TEST(Eval, ExactMatchCountsFinalAnswers) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const auto path = folder.write("rows.jsonl",
                                 "{\"prompt\": \"1+1=\", \"completion\": \"2\"}\n"
                                 "{\"prompt\": \"2+1*2=\", \"completion\": \"2+2=4\"}\n"
                                 "{\"prompt\": \"3-1=\", \"completion\": \"2\"}\n"
                                 "{\"prompt\": 3}\n");
  TaskConfig task = text_task(path, 0);
  task.type = TaskType::exact_match;
  cupel::Run run(options_in(folder / "run"));
  const Report report = eval::run({.model = {"m"}, .tasks = {task}}, always(" 1+1=2\nmore"), run);
  const TaskReport& rows = report.tasks.at("rows");
  EXPECT_EQ(rows.metric, "exact_match");
  EXPECT_EQ(rows.n, 3);
  EXPECT_NEAR(rows.value, 2.0 / 3, 1e-12);
  EXPECT_GT(rows.interval[0], 0.1);
  EXPECT_LT(rows.interval[1], 1);
  EXPECT_EQ(run.rejected(), 1);
  const std::string predictions = read_file(run.folder() / "predictions.jsonl");
  EXPECT_EQ(count_of(predictions, "\"correct\":true"), 2);
  EXPECT_THAT(predictions, HasSubstr("\"answer\":\"2\",\"expected\":\"4\",\"correct\":false"));
}

TEST(Eval, ArithmeticIsGeneratedFromTheSeed) {
  TaskConfig task;
  task.type = TaskType::exact_match;
  task.source = Source::arithmetic;
  task.rows = 30;
  cupel::Run run(options_in({}));
  const Report report = eval::run({.model = {"m"}, .tasks = {task}}, solver(5, 30), run);
  EXPECT_EQ(report.tasks.at("arithmetic").n, 30);
  EXPECT_NEAR(report.tasks.at("arithmetic").value, 2.0 / 3, 1e-12);
}

TEST(Eval, AModelThatWritesSeveralTextsAtOnceIsAskedForMany) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  std::string rows;
  for (int i = 0; i < 130; ++i)
    rows += "{\"prompt\": \"" + std::to_string(i) + "=\", \"completion\": \"" + std::to_string(i) +
            "\"}\n";
  TaskConfig task = text_task(folder.write("rows.jsonl", rows), 0);
  task.type = TaskType::exact_match;
  std::vector<std::size_t> sizes;
  LanguageModel model;
  model.generate_batch = [&](std::span<const std::string> prompts, const GenerateOptions&) {
    sizes.push_back(prompts.size());
    std::vector<std::string> texts;
    for (const std::string& prompt : prompts)
      texts.push_back(prompt == "77=" ? "no" : prompt.substr(0, prompt.size() - 1));
    return texts;
  };
  cupel::Run run(options_in(folder / "run"));
  const Report report = eval::run({.model = {"m"}, .tasks = {task}}, model, run);
  EXPECT_EQ(report.tasks.at("rows").value, 129.0 / 130);
  EXPECT_THAT(sizes, testing::ElementsAre(64, 64, 2));
}

TEST(Eval, NothingIsLeftBehindWhenItIsInterrupted) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const std::atomic<bool> stop = true;
  RunOptions options = options_in(folder / "run");
  options.stop = &stop;
  cupel::Run run(options);
  const auto path = folder.write("t.txt", "a text\n");
  EXPECT_THROW(eval::run({.model = {"m"}, .tasks = {text_task(path, 0)}}, always("x"), run),
               Interrupted);
  EXPECT_FALSE(std::filesystem::exists(run.folder() / "predictions.jsonl"));
}

TEST(Eval, ALikelihoodThatIsNotFiniteEndsTheRun) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const auto path = folder.write("t.txt", "a text\n");
  const LanguageModel model{{}, [](auto, auto) { return Likelihood{NAN, 1}; }};
  cupel::Run run(options_in({}));
  EXPECT_THAT([&] { eval::run({.model = {"m"}, .tasks = {text_task(path, 0)}}, model, run); },
              throws_error(ErrorKind::numeric, "[eval] t: a likelihood is not finite"));
}

TEST(Eval, SaysWhichTaskHasNothingLeft) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  TaskConfig task =
      text_task(folder.write("rows.jsonl", "{\"prompt\": \"a\", \"completion\": \"b\"}\n"), 1e-9);
  task.type = TaskType::exact_match;
  cupel::Run run(options_in({}));
  EXPECT_THAT([&] { eval::run({.model = {"m"}, .tasks = {task}}, always("x"), run); },
              throws_error(ErrorKind::data, "rows.jsonl: nothing is left to evaluate"));
}

TEST(EvalConfig, TellsWhatDoesNotFitTogether) {
  TaskConfig task;
  EXPECT_THAT(task.problems(), Contains("path: missing; name a file"));
  task.source = Source::arithmetic;
  EXPECT_THAT(task.problems(), Contains(HasSubstr("needs type: exact_match")));
  task.type = TaskType::exact_match;
  EXPECT_THAT(task.problems(), IsEmpty());
  task.path = {"x"};
  task.held_out = 0.1;
  task.baseline.emplace();
  EXPECT_THAT(task.problems(), testing::SizeIs(3));
  TaskConfig text = text_task("x.txt", 0);
  text.baseline.emplace();
  EXPECT_THAT(text.problems(), Contains(HasSubstr("give train or held_out")));
}

TEST(EvalConfig, RefusesTwoTasksOfOneName) {
  const Config config{.model = {"m"},
                      .tasks = {text_task("a/t.txt", 0), text_task("b/t.txt.gz", 0)}};
  EXPECT_THAT(config.problems(), Contains(HasSubstr("two are called \"t\"")));
  EXPECT_THAT(Config{}.problems(), testing::SizeIs(2));
}

TEST(EvalConfig, ReadsTheShortFormOfABaseline) {
  Config config;
  yaml::read_struct(
      yaml::parse("model: m\ntasks: [{path: t.txt, held_out: 0.1, baseline: 3}]\n", "r.yaml"),
      config, {"eval", "/recipes"});
  EXPECT_EQ(config.tasks[0].baseline->order, 3);
  EXPECT_EQ(config.tasks[0].path.text, "/recipes/t.txt");
}

}  // namespace
}  // namespace cupel::pipeline::eval
