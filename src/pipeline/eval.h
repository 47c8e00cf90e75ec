// `eval`: how well a language model predicts texts and answers questions, with intervals and an
// n-gram baseline.
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
enum class TaskType { perplexity, exact_match };
constexpr std::array<std::string_view, 2> names(TaskType) { return {"perplexity", "exact_match"}; }
static_assert(names(TaskType{}).size() == static_cast<std::size_t>(TaskType::exact_match) + 1);

/// Where an exact_match task takes its questions from: a file of rows, or the seeded generator of
/// arithmetic and logic problems, whose test prompts no training set of it holds.
enum class Source { file, arithmetic };
constexpr std::array<std::string_view, 2> names(Source) { return {"file", "arithmetic"}; }
static_assert(names(Source{}).size() == static_cast<std::size_t>(Source::arithmetic) + 1);

struct BaselineConfig {
  int64_t order = 5;
  Path train;
  static constexpr std::string_view kShorthand = "order";
  static constexpr auto fields() {
    using C = BaselineConfig;
    return std::tuple{Field{"order", &C::order, "longest n-gram", 1, NgramModel::kMaxOrder},
                      Field{"train", &C::train,
                            "texts it counts; default: the part of path that is not held out"}};
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
        Field{"held_out", &C::held_out,
              "evaluate only the share that train holds out under val_set_size; 0 = everything", 0,
              0.5},
        Field{"rows", &C::rows, "at most so many rows; default: all, of arithmetic 200", 1, 1e9},
        Field{"max_new_tokens", &C::max_new_tokens, "tokens generated for an answer", 1, 1e5},
        Field{"baseline", &C::baseline,
              "interpolated modified Kneser-Ney n-gram model on the same tokens (perplexity)"}};
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

/// The baseline's figure in the metric of its task. margin is baseline minus model: above 0 the
/// model is better; its interval is over the same resampled texts.
struct BaselineReport {
  std::string name = {};
  double value = 0, margin = 0;
  std::array<double, 2> margin_interval{};
  static constexpr auto fields() {
    using C = BaselineReport;
    return std::tuple{Field{"name", &C::name, "kind of model"},
                      Field{"value", &C::value, "in the task's metric"},
                      Field{"margin", &C::margin, "baseline minus model"},
                      Field{"margin_interval", &C::margin_interval, "95 %, paired"}};
  }
};

struct TaskReport {
  std::string metric = {};
  double value = 0;
  std::array<double, 2> interval{};
  int64_t n = 0;
  std::optional<int64_t> tokens = {}, bytes = {};
  std::optional<double> nats_per_token = {}, perplexity = {};
  std::optional<BaselineReport> baseline = {};
  static constexpr auto fields() {
    using C = TaskReport;
    return std::tuple{
        Field{"metric", &C::metric, "bits_per_byte or exact_match"},
        Field{"value", &C::value, "over all rows"},
        Field{"interval", &C::interval,
              "95 %: bootstrap over blocks of text, or Wilson's for a share of right answers"},
        Field{"n", &C::n, "questions, or blocks of text"},
        Field{"tokens", &C::tokens, "weighed (perplexity)"},
        Field{"bytes", &C::bytes, "of text (perplexity)"},
        Field{"nats_per_token", &C::nats_per_token, "mean loss (perplexity)"},
        Field{"perplexity", &C::perplexity, "of a token: exp of nats_per_token"},
        Field{"baseline", &C::baseline, "n-gram model on the same tokens"}};
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

}  // namespace cupel::pipeline::eval
