#include "compress/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "base/stats.h"
#include "nn/classifier.h"

namespace cupel::compress {
namespace {

constexpr std::size_t kMeasuredTogether = 256;
constexpr int64_t kWarmUp = 5;

int64_t right_answers(const nn::Classifier& classifier, const std::vector<nn::ClassifiedRow>& rows,
                      Run& run) {
  const std::size_t classes = classifier.config().labels.size();
  int64_t right = 0;
  for (std::size_t begin = 0; begin < rows.size(); begin += kMeasuredTogether) {
    run.stop_if_asked();
    std::vector<const std::vector<int32_t>*> texts;
    for (std::size_t i = begin; i < std::min(rows.size(), begin + kMeasuredTogether); ++i)
      texts.push_back(&rows[i].ids);
    const std::vector<float> scores = classifier.logits(texts, run.pool());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto row = scores.begin() + static_cast<std::ptrdiff_t>(i * classes);
      const auto best = std::max_element(row, row + static_cast<std::ptrdiff_t>(classes));
      right += best - row == rows[begin + i].label;
    }
  }
  return right;
}

double milliseconds(const nn::Classifier& classifier, const std::vector<int32_t>& ids,
                    ThreadPool& pool) {
  const std::vector<int32_t>* text = &ids;
  const auto begin = std::chrono::steady_clock::now();
  classifier.logits({&text, 1}, pool);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

Latency latency_of(std::vector<double> times) {
  std::ranges::sort(times);
  const auto at = [&](double share) {
    return times[static_cast<std::size_t>(std::ceil(share * static_cast<double>(times.size())) -
                                          1)];
  };
  return {at(0.5), at(0.95)};
}

}  // namespace

std::vector<StepReport> measure_steps(const std::vector<MeasuredStep>& steps,
                                      const std::vector<nn::ClassifiedRow>& rows, int64_t runs,
                                      Run& run) {
  const auto section = run.section("measure");
  std::vector<nn::Classifier> classifiers;
  std::vector<StepReport> reports;
  for (const MeasuredStep& step : steps) {
    classifiers.push_back(nn::Classifier::load(step.folder, step.precision));
    const int64_t right = right_answers(classifiers.back(), rows, run);
    const auto all = static_cast<int64_t>(rows.size());
    const Interval interval = wilson_interval(right, all);
    reports.push_back({step.name,
                       {},
                       static_cast<double>(right) / static_cast<double>(all),
                       {interval.low, interval.high}});
    run.progress(static_cast<int64_t>(reports.size()), static_cast<int64_t>(steps.size()),
                 step.name);
  }
  std::vector<std::vector<double>> times(steps.size());
  const int64_t measured = std::min(runs, static_cast<int64_t>(rows.size()));
  for (int64_t i = -kWarmUp; i < measured; ++i) {
    run.stop_if_asked();
    const auto row = static_cast<std::size_t>(std::max<int64_t>(i, 0));
    for (std::size_t step = 0; step < steps.size(); ++step) {
      const double time = milliseconds(classifiers[step], rows[row].ids, run.pool());
      if (i >= 0) times[step].push_back(time);
    }
  }
  for (std::size_t step = 0; step < steps.size(); ++step)
    reports[step].latency_ms = latency_of(std::move(times[step]));
  return reports;
}

}  // namespace cupel::compress
