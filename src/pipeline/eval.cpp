#include "pipeline/eval.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <span>

#include "base/error.h"
#include "base/stats.h"
#include "data/arithmetic.h"
#include "data/read.h"
#include "data/split.h"
#include "data/tokenizer/gguf_tokenizer.h"
#include "pipeline/eval_text.h"

namespace cupel::pipeline::eval {
namespace {

constexpr int64_t kDefaultProblems = 200;
constexpr std::size_t kQuestionsTogether = 64;

struct Question {
  std::string prompt, expected;
  int64_t line = 0;
};

std::vector<std::string> read_texts(const TaskConfig& task, const Path& path, Run& run) {
  run.record_input(path.text);
  std::vector<Reject> rejects;
  CorpusOptions options;
  options.read = {task.split, task.columns};
  options.text_field = task.text_field;
  const Corpus corpus = read_corpus(path.text, options, &rejects);
  for (const Reject& reject : rejects) run.reject(reject);
  std::vector<std::string> texts;
  for (const Document& document : corpus.documents) texts.push_back(document.text);
  return texts;
}

std::vector<Question> read_questions(const TaskConfig& task, Run& run) {
  std::vector<Question> questions;
  if (task.source == Source::arithmetic) {
    Rng rng = run.stream("arithmetic test problems");
    ProblemOptions options;
    options.split = ProblemSplit::test;
    int64_t line = 0;
    for (Problem& problem : generate_problems(rng, task.rows.value_or(kDefaultProblems), options)) {
      questions.push_back({std::move(problem.prompt), std::move(problem.completion), ++line});
    }
    return questions;
  }
  run.record_input(task.path.text);
  std::vector<Reject> rejects;
  const auto take = [&](json::Value&& row, int64_t line) -> std::optional<RowProblem> {
    for (const std::string& field : {task.prompt_field, task.completion_field}) {
      const json::Value* value = row.find(field);
      if (value == nullptr || !value->is_string())
        return RowProblem{"missing_field", "field \"" + field + "\": missing or no text"};
    }
    Question question{row.find(task.prompt_field)->as_string(task.prompt_field),
                      row.find(task.completion_field)->as_string(task.completion_field), line};
    if (task.held_out == 0 || is_held_out(question.prompt, question.expected, task.held_out))
      questions.push_back(std::move(question));
    return std::nullopt;
  };
  for_each_row(task.path.text, {task.split, task.columns}, take, &rejects);
  for (const Reject& reject : rejects) run.reject(reject);
  if (task.rows && static_cast<int64_t>(questions.size()) > *task.rows)
    questions.resize(static_cast<std::size_t>(*task.rows));
  return questions;
}

[[noreturn]] void fail_nothing_left(const TaskConfig& task) {
  fail(ErrorKind::data, task.path.text, "nothing is left to evaluate", "raise held_out or rows");
}

/// What the model goes on with behind each of the first kQuestionsTogether.
std::vector<std::string> answers(const LanguageModel& model, std::span<const Question> questions,
                                 const GenerateOptions& options) {
  std::vector<std::string> prompts, texts;
  for (const Question& question : questions.first(std::min(questions.size(), kQuestionsTogether)))
    prompts.push_back(question.prompt);
  if (model.generate_batch) return model.generate_batch(prompts, options);
  for (const std::string& prompt : prompts) texts.push_back(model.generate(prompt, options, {}));
  return texts;
}

TaskReport exact_match(const TaskConfig& task, const LanguageModel& model, Run& run,
                       Predictions& predictions) {
  const std::vector<Question> questions = read_questions(task, run);
  if (questions.empty()) fail_nothing_left(task);
  GenerateOptions options;
  options.max_new_tokens = task.max_new_tokens;
  options.stop = {"\n"};
  options.cancelled = [&] {
    run.stop_if_asked();
    return false;
  };
  const auto total = static_cast<int64_t>(questions.size());
  int64_t right = 0, done = 0;
  std::vector<std::string> texts;
  for (const Question& question : questions) {
    const std::size_t at = static_cast<std::size_t>(done) % kQuestionsTogether;
    if (at == 0)
      texts = answers(model, std::span(questions).subspan(static_cast<std::size_t>(done)), options);
    const std::string& generated = texts[at];
    const std::string answer = final_answer(generated), expected = final_answer(question.expected);
    const bool correct = answer == expected;
    right += correct ? 1 : 0;
    predictions.append(json::Object{{"task", task_name(task)},
                                    {"line", question.line},
                                    {"prompt", question.prompt},
                                    {"generated", generated},
                                    {"answer", answer},
                                    {"expected", expected},
                                    {"correct", correct}});
    run.progress(++done, total, task_name(task) + ": " + std::to_string(right) + " right");
    run.stop_if_asked();
  }
  TaskReport report;
  report.metric = "exact_match";
  report.value = static_cast<double>(right) / static_cast<double>(total);
  const Interval interval = wilson_interval(right, total);
  report.interval = {interval.low, interval.high};
  report.n = total;
  return report;
}

TaskReport perplexity(const TaskConfig& task, const Path& model_path, const LanguageModel& model,
                      Run& run, Predictions& predictions) {
  TextSplit texts = split_running_text(read_texts(task, task.path, run), task.held_out);
  std::vector<std::string>& chosen = task.held_out > 0 ? texts.held_out : texts.kept;
  if (task.rows && static_cast<int64_t>(chosen.size()) > *task.rows)
    chosen.resize(static_cast<std::size_t>(*task.rows));
  const std::vector<std::string> blocks = cut_blocks(chosen);
  if (blocks.empty()) fail_nothing_left(task);
  std::optional<NgramScorer> baseline;
  if (task.baseline) {
    auto section = run.section("n-gram baseline");
    const auto& counted =
        task.baseline->train.empty() ? texts.kept : read_texts(task, task.baseline->train, run);
    if (std::ranges::all_of(counted, &std::string::empty)) {
      fail(ErrorKind::data, (task.baseline->train.empty() ? task.path : task.baseline->train).text,
           "there is no text for the n-gram baseline to count", "give baseline.train a text");
    }
    baseline.emplace(load_tokenizer(model_path.text), counted,
                     static_cast<int>(task.baseline->order));
  }
  return weigh(task, blocks, model.likelihood, baseline ? &*baseline : nullptr, run, predictions);
}

}  // namespace

std::string task_name(const TaskConfig& task) {
  if (!task.name.empty()) return task.name;
  if (task.source == Source::arithmetic) return "arithmetic";
  std::string name = std::filesystem::path(task.path.text).filename().string();
  return name.substr(0, name.find('.'));
}

std::vector<std::string> TaskConfig::problems() const {
  std::vector<std::string> problems;
  const bool generated = source == Source::arithmetic;
  if (generated && type != TaskType::exact_match)
    problems.push_back("source: arithmetic needs type: exact_match");
  if (generated && !path.empty()) problems.push_back("path: arithmetic is generated, it has none");
  if (generated && held_out > 0)
    problems.push_back("held_out: arithmetic has a test set of its own");
  if (!generated && path.empty()) problems.push_back("path: missing; name a file");
  if (baseline && type == TaskType::exact_match)
    problems.push_back("baseline: exact_match has none");
  if (baseline && classifies(type) && baseline->order != BaselineConfig{}.order)
    problems.push_back("baseline: accuracy and f1 count no n-grams; write baseline: {train: FILE}");
  if (label_field != TaskConfig{}.label_field && !classifies(type))
    problems.push_back("label_field: only accuracy and f1 have labels");
  if (baseline && baseline->train.empty() && held_out == 0) {
    problems.push_back(
        "baseline: it would count the texts it is measured on; give train or held_out");
  }
  return problems;
}

std::vector<std::string> Config::problems() const {
  std::vector<std::string> problems;
  if (model.empty()) problems.push_back("model: missing; name its folder, or ${train.model}");
  if (tasks.empty()) problems.push_back("tasks: at least one is needed");
  std::set<std::string> taken;
  for (const TaskConfig& task : tasks) {
    if (!taken.insert(task_name(task)).second)
      problems.push_back("tasks: two are called \"" + task_name(task) + "\"; give one a name");
  }
  const auto of_classes = [](const TaskConfig& task) { return classifies(task.type); };
  if (of_classifier(*this) && !std::ranges::all_of(tasks, of_classes))
    problems.push_back(
        "tasks: accuracy and f1 are of a classifier, the others of a language model; evaluate each "
        "by itself");
  return problems;
}

bool of_classifier(const Config& config) {
  return std::ranges::any_of(config.tasks,
                             [](const TaskConfig& task) { return classifies(task.type); });
}

Report run(const Config& config, const LanguageModel& model, Run& run) {
  Predictions predictions(run, "predictions.jsonl");
  Report report;
  for (const TaskConfig& task : config.tasks) {
    const auto section = run.section(task_name(task));
    report.tasks[task_name(task)] = task.type == TaskType::exact_match
                                        ? exact_match(task, model, run, predictions)
                                        : perplexity(task, config.model, model, run, predictions);
  }
  predictions.commit();
  return report;
}

}  // namespace cupel::pipeline::eval
