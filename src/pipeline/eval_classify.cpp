// The tasks of a classifier: accuracy and F1, beside the majority class and a bag of words.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "base/confusion.h"
#include "base/error.h"
#include "base/stats.h"
#include "data/bag_of_words.h"
#include "data/labelled.h"
#include "data/split.h"
#include "pipeline/eval.h"
#include "pipeline/eval_text.h"

namespace cupel::pipeline::eval {
namespace {

constexpr std::size_t kTextsTogether = 256;
constexpr std::size_t kMostMistakes = 1000;

/// Texts of classes that the classifier knows.
struct Texts {
  std::vector<std::string> texts;
  std::vector<int64_t> labels, lines;
};

/// What was said of the evaluated texts.
struct Answers {
  Texts rows;
  std::vector<int64_t> model, baseline;  // classes; the latter empty without one
  std::vector<double> chances;           // of the model's answers
  int64_t most_frequent = 0;             // class
};

class LabelledTask {
 public:
  LabelledTask(const TaskConfig& task, const TextClassifier& classifier, Run& run)
      : task_(task), classifier_(classifier), run_(run) {
    for (std::size_t i = 0; i < classifier.labels.size(); ++i)
      classes_.emplace(classifier.labels[i], static_cast<int64_t>(i));
  }

  Answers answer() {
    Texts learned, held_out;
    const double share = task_.held_out;
    for (LabelledText& row : read(task_.path, task_.split)) {
      const bool out = share == 0 || is_held_out(row.text, "", share);
      add(row, task_.path, out ? held_out : learned);
    }
    if (task_.rows) cut(held_out, static_cast<std::size_t>(*task_.rows));
    if (held_out.texts.empty())
      fail(ErrorKind::data, task_.path.text, "no text of a known class is left to evaluate",
           "raise held_out or rows, or look at label_field");
    if (task_.baseline && !task_.baseline->train.empty()) {
      learned = {};
      const std::string& split = task_.baseline->split;
      for (LabelledText& row : read(task_.baseline->train, split.empty() ? task_.split : split))
        add(row, task_.baseline->train, learned);
    }
    Answers answers;
    answers.most_frequent = most_frequent(learned.texts.empty() ? held_out : learned);
    if (task_.baseline) answers.baseline = ask_baseline(learned, held_out);
    answers.rows = std::move(held_out);
    ask_model(answers);
    return answers;
  }

 private:
  std::vector<LabelledText> read(const Path& path, const std::string& split) {
    run_.record_input(path.text);
    LabelledOptions options{{split, task_.columns}, task_.text_field, task_.label_field};
    options.poll = [this] { stop_if_asked(); };
    std::vector<Reject> rejects;
    std::vector<LabelledText> rows = read_labelled(path.text, options, &rejects);
    for (const Reject& reject : rejects) run_.reject(reject);
    return rows;
  }

  void add(LabelledText& row, const Path& path, Texts& to) {
    const auto found = classes_.find(row.label);
    if (found == classes_.end())
      return run_.reject({path.text, row.line, "unknown_label", row.label + ": " + row.text});
    to.texts.push_back(std::move(row.text));
    to.labels.push_back(found->second);
    to.lines.push_back(row.line);
  }

  static void cut(Texts& texts, std::size_t most) {
    if (texts.texts.size() <= most) return;
    texts.texts.resize(most);
    texts.labels.resize(most);
    texts.lines.resize(most);
  }

  int64_t most_frequent(const Texts& texts) const {
    std::vector<int64_t> counts(classifier_.labels.size());
    for (const int64_t label : texts.labels) ++counts[static_cast<std::size_t>(label)];
    return std::ranges::max_element(counts) - counts.begin();
  }

  std::vector<int64_t> ask_baseline(const Texts& learned, const Texts& asked) {
    if (learned.texts.empty())
      fail(ErrorKind::data,
           (task_.baseline->train.empty() ? task_.path : task_.baseline->train).text,
           "there is no text of a known class for the baseline to learn from",
           "give baseline.train a file of texts and labels");
    const auto section = run_.section("bag-of-words baseline");
    const BagOfWords model(learned.texts, learned.labels,
                           static_cast<int64_t>(classifier_.labels.size()),
                           [this] { stop_if_asked(); });
    std::vector<int64_t> answers;
    for (const std::string& text : asked.texts) answers.push_back(model.predict(text));
    return answers;
  }

  void ask_model(Answers& answers) {
    const std::vector<std::string_view> texts(answers.rows.texts.begin(), answers.rows.texts.end());
    const std::size_t classes = classifier_.labels.size();
    int64_t shortened = 0;
    for (std::size_t begin = 0; begin < texts.size(); begin += kTextsTogether) {
      const std::size_t count = std::min(kTextsTogether, texts.size() - begin);
      const Classified found = classifier_.classify(std::span(texts).subspan(begin, count));
      shortened += found.shortened;
      for (std::size_t i = 0; i < count; ++i) {
        const auto row = std::span(found.chances).subspan(i * classes, classes);
        const auto best = std::ranges::max_element(row);
        answers.model.push_back(best - row.begin());
        answers.chances.push_back(static_cast<double>(*best));
      }
      run_.progress(static_cast<int64_t>(begin + count), static_cast<int64_t>(texts.size()),
                    task_name(task_));
      stop_if_asked();
    }
    if (shortened > 0)
      run_.log(LogLevel::warning, task_.path.text + ": of " + std::to_string(shortened) +
                                      " texts longer than the model's positions, the beginning "
                                      "alone was read");
  }

  void stop_if_asked() const { run_.stop_if_asked(); }

  const TaskConfig& task_;
  const TextClassifier& classifier_;
  Run& run_;
  std::map<std::string, int64_t> classes_;
};

/// The task's metric over rows that `chosen` lists, as a resample does, with repeats.
class Metric {
 public:
  Metric(TaskType type, const std::vector<int64_t>& expected, std::size_t classes)
      : type_(type), expected_(expected), classes_(classes) {}

  double operator()(const std::vector<int64_t>& answers, std::span<const double> chosen) const {
    Confusion confusion(classes_);
    for (const double index : chosen) {
      const auto row = static_cast<std::size_t>(index);
      confusion.add(expected_[row], answers[row]);
    }
    return type_ == TaskType::f1 ? confusion.macro_f1() : confusion.accuracy();
  }

 private:
  TaskType type_;
  const std::vector<int64_t>& expected_;
  std::size_t classes_;
};

void add_classes(const Answers& answers, const std::vector<std::string>& labels,
                 TaskReport& report) {
  Confusion confusion(labels.size());
  std::map<std::pair<int64_t, int64_t>, int64_t> mistakes;
  for (std::size_t i = 0; i < answers.model.size(); ++i) {
    const int64_t expected = answers.rows.labels[i], answered = answers.model[i];
    confusion.add(expected, answered);
    if (expected != answered) ++mistakes[{expected, answered}];
  }
  std::vector<ClassReport>& classes = report.classes.emplace();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const ClassScore& score = confusion.scores()[i];
    if (score.expected + score.answered == 0) continue;
    classes.push_back({labels[i], score.expected, score.answered, score.right, score.precision(),
                       score.recall(), score.f1()});
  }
  std::vector<MistakeReport>& listed = report.mistakes.emplace();
  for (const auto& [pair, rows] : mistakes)
    listed.push_back({labels[static_cast<std::size_t>(pair.first)],
                      labels[static_cast<std::size_t>(pair.second)], rows});
  std::ranges::stable_sort(listed, std::greater(), &MistakeReport::rows);
  if (listed.size() > kMostMistakes) listed.resize(kMostMistakes);
}

TaskReport report_of(const TaskConfig& task, const Answers& answers,
                     const std::vector<std::string>& labels, Run& run) {
  const std::size_t rows = answers.model.size();
  const Metric metric(task.type, answers.rows.labels, labels.size());
  std::vector<double> all(rows);
  for (std::size_t i = 0; i < rows; ++i) all[i] = static_cast<double>(i);
  const auto interval_of = [&](const std::function<double(std::span<const double>)>& statistic) {
    const Interval interval =
        bootstrap_interval(all, statistic, run.stream("bootstrap of " + task_name(task)));
    return std::array{interval.low, interval.high};
  };
  TaskReport report;
  report.metric = name_of(task.type);
  report.n = static_cast<int64_t>(rows);
  report.value = metric(answers.model, all);
  if (task.type == TaskType::f1) {
    report.interval = interval_of([&](auto chosen) { return metric(answers.model, chosen); });
  } else {
    const Interval wilson =
        wilson_interval(std::llround(report.value * static_cast<double>(rows)), report.n);
    report.interval = {wilson.low, wilson.high};
  }
  report.majority = metric(std::vector<int64_t>(rows, answers.most_frequent), all);
  if (!answers.baseline.empty()) {
    BaselineReport& other = report.baseline.emplace();
    other.name = "logistic regression over words";
    other.value = metric(answers.baseline, all);
    other.margin = report.value - other.value;
    other.margin_interval = interval_of([&](auto chosen) {
      return metric(answers.model, chosen) - metric(answers.baseline, chosen);
    });
  }
  add_classes(answers, labels, report);
  return report;
}

void write_rows(const TaskConfig& task, const Answers& answers,
                const std::vector<std::string>& labels, Predictions& predictions) {
  const auto label = [&](int64_t of) { return labels[static_cast<std::size_t>(of)]; };
  for (std::size_t i = 0; i < answers.model.size(); ++i) {
    json::Value row = json::Object{{"task", task_name(task)},
                                   {"line", answers.rows.lines[i]},
                                   {"expected", label(answers.rows.labels[i])},
                                   {"answer", label(answers.model[i])},
                                   {"probability", answers.chances[i]},
                                   {"correct", answers.model[i] == answers.rows.labels[i]}};
    if (!answers.baseline.empty()) row.set("baseline_answer", label(answers.baseline[i]));
    predictions.append(row);
  }
}

}  // namespace

Report run(const Config& config, const TextClassifier& classifier, Run& run) {
  Predictions predictions(run, "predictions.jsonl");
  Report report;
  for (const TaskConfig& task : config.tasks) {
    const auto section = run.section(task_name(task));
    const Answers answers = LabelledTask(task, classifier, run).answer();
    report.tasks[task_name(task)] = report_of(task, answers, classifier.labels, run);
    write_rows(task, answers, classifier.labels, predictions);
  }
  predictions.commit();
  return report;
}

}  // namespace cupel::pipeline::eval
