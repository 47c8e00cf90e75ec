// `eval`: how well a language model predicts texts and answers questions, or a classifier finds the
// class of a text, with intervals and a simple baseline.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/run.h"
#include "data/blackbox.h"
#include "data/ngram.h"

namespace cupel::pipeline::eval {

/// perplexity: bits a byte, nats a token and perplexity of running text. exact_match: the answer
/// that greedy generation ends with (final_answer of data/arithmetic.h) equals the expected one.
/// accuracy and f1, of a classifier: share of right answers, mean F1 of the classes.
enum class TaskType { perplexity, exact_match, accuracy, f1 };
constexpr std::array<std::string_view, 4> names(TaskType) {
  return {"perplexity", "exact_match", "accuracy", "f1"};
}
static_assert(names(TaskType{}).size() == static_cast<std::size_t>(TaskType::f1) + 1);
constexpr bool classifies(TaskType type) { return type >= TaskType::accuracy; }

/// Where an exact_match task takes its questions from: a file of rows, or the seeded generator of
/// arithmetic and logic problems, whose test prompts no training set of it holds.
enum class Source { file, arithmetic };
constexpr std::array<std::string_view, 2> names(Source) { return {"file", "arithmetic"}; }
static_assert(names(Source{}).size() == static_cast<std::size_t>(Source::arithmetic) + 1);

struct BaselineConfig {
  int64_t order = 5;
  Path train;
  std::string split = {};
  static constexpr std::string_view kShorthand = "order";
  static constexpr auto fields() {
    using C = BaselineConfig;
    return std::tuple{
        Field{"order", &C::order, "longest n-gram (perplexity)", 1, NgramModel::kMaxOrder},
        Field{"train", &C::train,
              "texts it learns from; default: the part of path that is not held out"},
        Field{"split", &C::split, "which member of a .json object of splits train is"}};
  }
};

struct TaskConfig {
  std::string name;
  TaskType type = TaskType::perplexity;
  Source source = Source::file;
  Path path;
  std::string split;
  std::vector<std::string> columns;
  std::string text_field = "text";
  std::string prompt_field = "prompt";
  std::string completion_field = "completion";
  std::string label_field = "label";
  double held_out = 0;
  std::optional<int64_t> rows;
  int64_t max_new_tokens = 64;
  std::optional<BaselineConfig> baseline;

  static constexpr auto fields() {
    using C = TaskConfig;
    return std::tuple{
        Field{"name", &C::name, "key in the report; default: the file's name"},
        Field{"type", &C::type, "what is measured"},
        Field{"source", &C::source, "where exact_match takes its questions from"},
        Field{"path", &C::path, "file of texts or rows"},
        Field{"split", &C::split, "which member of a .json object of splits"},
        Field{"columns", &C::columns, "names of the fields of rows that are arrays"},
        Field{"text_field", &C::text_field, "field of a document's text"},
        Field{"prompt_field", &C::prompt_field, "field of a row's prompt"},
        Field{"completion_field", &C::completion_field, "field of the expected completion"},
        Field{"label_field", &C::label_field, "field of a text's class (accuracy, f1)"},
        Field{"held_out", &C::held_out,
              "evaluate only the share that train holds out under val_set_size; 0 = everything", 0,
              0.5},
        Field{"rows", &C::rows, "at most so many rows; default: all, of arithmetic 200", 1, 1e9},
        Field{"max_new_tokens", &C::max_new_tokens, "tokens generated for an answer", 1, 1e5},
        Field{"baseline", &C::baseline,
              "perplexity: interpolated modified Kneser-Ney n-gram model on the same tokens; "
              "accuracy, f1: logistic regression over words"}};
  }
  std::vector<std::string> problems() const;
};

struct Config {
  ModelPath model;
  std::vector<TaskConfig> tasks;
  static constexpr auto fields() {
    return std::tuple{
        Field{"model", &Config::model, "folder, .gguf file, or org/name in the Hugging Face cache"},
        Field{"tasks", &Config::tasks, "what to measure, one after the other"}};
  }
  std::vector<std::string> problems() const;
};

/// The baseline's figure in the metric of its task. margin is how much better the model is, in that
/// metric: above 0 the model wins; its interval is over the same resampled texts.
struct BaselineReport {
  std::string name = {};
  double value = 0, margin = 0;
  std::array<double, 2> margin_interval{};
  static constexpr auto fields() {
    using C = BaselineReport;
    return std::tuple{Field{"name", &C::name, "kind of model"},
                      Field{"value", &C::value, "in the task's metric"},
                      Field{"margin", &C::margin, "how much better the model is"},
                      Field{"margin_interval", &C::margin_interval, "95 %, paired"}};
  }
};

/// A class of the evaluated rows.
struct ClassReport {
  std::string label = {};
  int64_t expected = 0, answered = 0, right = 0;
  double precision = 0, recall = 0, f1 = 0;
  static constexpr auto fields() {
    using C = ClassReport;
    return std::tuple{Field{"label", &C::label, "its name"},
                      Field{"expected", &C::expected, "rows of it"},
                      Field{"answered", &C::answered, "rows put into it"},
                      Field{"right", &C::right, "rows of it put into it"},
                      Field{"precision", &C::precision, "right over answered"},
                      Field{"recall", &C::recall, "right over expected"},
                      Field{"f1", &C::f1, "harmonic mean of the two"}};
  }
};

/// Rows of one class that were put into another.
struct MistakeReport {
  std::string expected = {}, answered = {};
  int64_t rows = 0;
  static constexpr auto fields() {
    using C = MistakeReport;
    return std::tuple{Field{"expected", &C::expected, "their class"},
                      Field{"answered", &C::answered, "what the model said"},
                      Field{"rows", &C::rows, "how many"}};
  }
};

struct TaskReport {
  std::string metric = {};
  double value = 0;
  std::array<double, 2> interval{};
  int64_t n = 0;
  std::optional<int64_t> tokens = {}, bytes = {};
  std::optional<double> nats_per_token = {}, perplexity = {};
  std::optional<double> majority = {};
  std::optional<BaselineReport> baseline = {};
  std::optional<std::vector<ClassReport>> classes = {};
  std::optional<std::vector<MistakeReport>> mistakes = {};
  static constexpr auto fields() {
    using C = TaskReport;
    return std::tuple{
        Field{"metric", &C::metric, "bits_per_byte, exact_match, accuracy or f1"},
        Field{"value", &C::value, "over all rows"},
        Field{"interval", &C::interval,
              "95 %: Wilson's for a share of right answers, else bootstrap over texts"},
        Field{"n", &C::n, "questions, texts, or blocks of text"},
        Field{"tokens", &C::tokens, "weighed (perplexity)"},
        Field{"bytes", &C::bytes, "of text (perplexity)"},
        Field{"nats_per_token", &C::nats_per_token, "mean loss (perplexity)"},
        Field{"perplexity", &C::perplexity, "of a token: exp of nats_per_token"},
        Field{"majority", &C::majority,
              "of who always says the most frequent class (accuracy, f1)"},
        Field{"baseline", &C::baseline, "a simpler model on the same texts"},
        Field{"classes", &C::classes, "those that were expected or answered (accuracy, f1)"},
        Field{"mistakes", &C::mistakes,
              "what was taken for what, most frequent first (accuracy, f1)"}};
  }
};

struct Report {
  std::map<std::string, TaskReport> tasks;
  static constexpr auto fields() {
    return std::tuple{Field{"tasks", &Report::tasks, "figures by the task's name"}};
  }
};

/// The task's key in the report.
std::string task_name(const TaskConfig& task);

/// Runs every task and writes predictions.jsonl: a row a question or block of text. Throws
/// Interrupted when asked to stop, Error{data} for a task without a row.
Report run(const Config& config, const LanguageModel& model, Run& run);
/// The same of a classifier: a row a text. A text with a label that the classifier does not know
/// goes to rejects.jsonl.
Report run(const Config& config, const TextClassifier& classifier, Run& run);

/// Whether the tasks are of a classifier.
bool of_classifier(const Config& config);

}  // namespace cupel::pipeline::eval
