#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "base/stats.h"
#include "pipeline/eval.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::pipeline::eval {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

RunOptions run_options(const std::filesystem::path& folder) {
  RunOptions options;
  options.folder = folder;
  options.seed = 5;
  options.threads = 1;
  return options;
}

/// Says the class whose name the text begins with, "b" where it is none.
TextClassifier reader() {
  TextClassifier classifier{{"a", "b", "c"}, {}};
  classifier.classify = [](std::span<const std::string_view> texts) {
    Classified found;
    for (const std::string_view text : texts) {
      const bool a = text.starts_with("a"), c = text.starts_with("c");
      found.chances.insert(found.chances.end(),
                           {a ? 0.8F : 0.1F, a || c ? 0.1F : 0.8F, c ? 0.8F : 0.1F});
      found.shortened += text.size() > 100 ? 1 : 0;
    }
    return found;
  };
  return classifier;
}

/// Texts "a0", "a1", … that the reader gets right, but for every fifth of class c.
std::string texts_of_three(int rows) {
  std::string text;
  for (int i = 0; i < rows; ++i) {
    const char label = static_cast<char>('a' + i % 3);
    const char first = label == 'c' && i % 5 == 0 ? 'b' : label;
    text += json::dump(json::Object{{"text", std::string(1, first) + " " + std::to_string(i)},
                                    {"label", std::string(1, label)}}) +
            "\n";
  }
  return text;
}

TaskConfig task_of(const std::filesystem::path& path, TaskType type,
                   const std::string& name = "t") {
  TaskConfig task;
  task.name = name;
  task.type = type;
  task.path = {path.string()};
  return task;
}

TEST(EvalClassify, CountsClassesMistakesAndWhoAlwaysSaysTheSame) {
  const TemporaryFolder folder;
  const auto path = folder.write("t.jsonl", texts_of_three(300));
  Config config{
      .model = {"m"},
      .tasks = {task_of(path, TaskType::accuracy, "acc"), task_of(path, TaskType::f1, "f")}};
  cupel::Run run(run_options(folder / "run"));
  const Report report = eval::run(config, reader(), run);
  const TaskReport& accuracy = report.tasks.at("acc");
  EXPECT_EQ(accuracy.metric, "accuracy");
  EXPECT_EQ(accuracy.n, 300);
  EXPECT_DOUBLE_EQ(accuracy.value, 280.0 / 300);
  const Interval wilson = wilson_interval(280, 300);
  EXPECT_THAT(accuracy.interval, ElementsAre(wilson.low, wilson.high));
  EXPECT_DOUBLE_EQ(*accuracy.majority, 1.0 / 3);
  EXPECT_FALSE(accuracy.baseline.has_value());
  ASSERT_EQ(accuracy.classes->size(), 3u);
  EXPECT_EQ(accuracy.classes->at(1).answered, 120);
  EXPECT_DOUBLE_EQ(accuracy.classes->at(1).precision, 100.0 / 120);
  EXPECT_DOUBLE_EQ(accuracy.classes->at(2).recall, 0.8);
  ASSERT_EQ(accuracy.mistakes->size(), 1u);
  EXPECT_EQ(accuracy.mistakes->at(0).expected + accuracy.mistakes->at(0).answered, "cb");
  EXPECT_EQ(accuracy.mistakes->at(0).rows, 20);
  const TaskReport& f1 = report.tasks.at("f");
  EXPECT_EQ(f1.metric, "f1");
  EXPECT_NEAR(f1.value, (1 + 2.0 * 100 / 220 + 2.0 * 80 / 180) / 3, 1e-12);
  EXPECT_LT(f1.interval[0], f1.value);
  EXPECT_GT(f1.interval[1], f1.value);
  EXPECT_NEAR(*f1.majority, 0.5 / 3, 1e-12);
  const std::string predictions = read_file(folder / "run/predictions.jsonl");
  EXPECT_THAT(predictions,
              HasSubstr(R"({"task":"acc","line":1,"expected":"a","answer":"a","probability":0.8)"));
  EXPECT_EQ(std::ranges::count(predictions, '\n'), 600);
}

TEST(EvalClassify, AnIntervalDependsOnTheSeedAlone) {
  const TemporaryFolder folder;
  const auto path = folder.write("t.jsonl", texts_of_three(100));
  const Config config{.model = {"m"}, .tasks = {task_of(path, TaskType::f1)}};
  const auto interval = [&](uint64_t seed) {
    RunOptions options = run_options({});
    options.seed = seed;
    cupel::Run run(options);
    return eval::run(config, reader(), run).tasks.at("t").interval;
  };
  EXPECT_EQ(interval(1), interval(1));
  EXPECT_NE(interval(1), interval(2));
}

TEST(EvalClassify, SetsABagOfWordsBesideTheModelOnTheSameTexts) {
  const TemporaryFolder folder;
  const auto train = folder.write("all.json", [] {
    json::Array rows;
    for (int i = 0; i < 60; ++i)
      rows.push_back(json::Array{i % 2 == 0 ? "a good one" : "b bad one", i % 2 == 0 ? "a" : "b"});
    return json::dump(
        json::Object{{"train", rows},
                     {"test", json::Array{json::Array{"a good", "a"}, json::Array{"a good", "b"},
                                          json::Array{"c bad", "b"}}}});
  }());
  TaskConfig task = task_of(train, TaskType::accuracy);
  task.split = "test";
  task.columns = {"text", "label"};
  task.baseline = {.train = {train.string()}, .split = "train"};
  cupel::Run run(run_options(folder / "run"));
  const TaskReport report =
      eval::run({.model = {"m"}, .tasks = {task}}, reader(), run).tasks.at("t");
  EXPECT_DOUBLE_EQ(report.value, 1.0 / 3) << "the model says a, a, c";
  ASSERT_TRUE(report.baseline.has_value());
  EXPECT_EQ(report.baseline->name, "logistic regression over words");
  EXPECT_DOUBLE_EQ(report.baseline->value, 2.0 / 3) << "the words say a, a, b";
  EXPECT_DOUBLE_EQ(report.baseline->margin, -1.0 / 3) << "the model is worse";
  EXPECT_DOUBLE_EQ(report.baseline->margin_interval[0], -1);
  EXPECT_DOUBLE_EQ(*report.majority, 1.0 / 3) << "a, by the rows of train";
  EXPECT_THAT(read_file(folder / "run/predictions.jsonl"), HasSubstr(R"("baseline_answer":"b")"));
}

TEST(EvalClassify, WithoutAFileTheBaselineLearnsFromWhatIsNotHeldOut) {
  const TemporaryFolder folder;
  TaskConfig task = task_of(folder.write("t.jsonl", texts_of_three(600)), TaskType::f1);
  task.held_out = 0.25;
  task.baseline.emplace();
  cupel::Run run(run_options({}));
  const TaskReport report =
      eval::run({.model = {"m"}, .tasks = {task}}, reader(), run).tasks.at("t");
  EXPECT_NEAR(static_cast<double>(report.n), 150, 40);
  EXPECT_GT(report.baseline->value, 0.6) << "the first letter is a word";
}

TEST(EvalClassify, SetsRowsOfUnknownClassesAsideAndTellsOfLongTexts) {
  const TemporaryFolder folder;
  const auto path = folder.write("t.jsonl", R"({"text": "a", "label": "a"}
{"text": "b", "label": "z"}
{"text": ")" + std::string(200, 'c') + R"(", "label": "c"}
)");
  const Config config{.model = {"m"}, .tasks = {task_of(path, TaskType::accuracy)}};
  std::vector<std::string> warnings;
  {
    cupel::Run run(run_options(folder / "run"));
    run.subscribe([&](const Event& event) {
      if (event.kind == Event::Kind::log) warnings.emplace_back(event.text);
    });
    EXPECT_EQ(eval::run(config, reader(), run).tasks.at("t").n, 2);
    EXPECT_EQ(run.rejected(), 1);
  }
  EXPECT_THAT(read_file(folder / "run/rejects.jsonl"), HasSubstr("unknown_label"));
  EXPECT_THAT(warnings, Contains(HasSubstr("of 1 texts longer than the model's positions")));
  cupel::Run run(run_options({}));
  TextClassifier other = reader();
  other.labels = {"x", "y", "w"};
  EXPECT_THAT([&] { eval::run(config, other, run); },
              throws_error(ErrorKind::data, "no text of a known class is left"));
}

TEST(EvalClassify, RefusesSettingsOfTheOtherTasks) {
  TaskConfig task = task_of("t.csv", TaskType::f1);
  EXPECT_THAT(task.problems(), IsEmpty());
  task.baseline = {.order = 3, .train = {"x"}};
  EXPECT_THAT(task.problems(), ElementsAre(HasSubstr("write baseline: {train: FILE}")));
  task.baseline.emplace();
  EXPECT_THAT(task.problems(), ElementsAre(HasSubstr("give train or held_out")));
  task = task_of("t.csv", TaskType::perplexity);
  task.label_field = "kind";
  EXPECT_THAT(task.problems(), ElementsAre("label_field: only accuracy and f1 have labels"));
  const Config mixed{
      .model = {"m"},
      .tasks = {task_of("t.csv", TaskType::f1, "a"), task_of("t.csv", TaskType::perplexity, "b")}};
  EXPECT_THAT(mixed.problems(), ElementsAre(HasSubstr("evaluate each by itself")));
}

}  // namespace
}  // namespace cupel::pipeline::eval
