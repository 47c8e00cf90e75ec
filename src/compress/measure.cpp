#include "compress/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <thread>

#include "base/error.h"
#include "base/stats.h"
#include "nn/classifier.h"

namespace cupel::compress {
namespace {

constexpr std::size_t kMeasuredTogether = 256;
constexpr int64_t kWarmUp = 5;
constexpr std::chrono::milliseconds kPause{5};

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

/// Waits first until the threads of the pass before have stopped waiting for more.
double milliseconds(const TextScores& pass, const std::vector<int32_t>& ids) {
  std::this_thread::sleep_for(kPause);
  const auto begin = std::chrono::steady_clock::now();
  pass(ids);
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

MeasuredSteps measure_steps(const std::vector<MeasuredStep>& steps, const TextScores& eager,
                            const std::vector<nn::ClassifiedRow>& rows, int64_t runs, Run& run) {
  const auto section = run.section("measure");
  std::vector<nn::Classifier> classifiers;
  std::vector<TextScores> passes;
  MeasuredSteps result;
  for (const MeasuredStep& step : steps) {
    classifiers.push_back(nn::Classifier::load(step.folder, step.precision));
    const int64_t right = right_answers(classifiers.back(), rows, run);
    const auto all = static_cast<int64_t>(rows.size());
    result.steps.push_back(
        {{}, static_cast<double>(right) / static_cast<double>(all), wilson_interval(right, all)});
    run.progress(static_cast<int64_t>(result.steps.size()), static_cast<int64_t>(steps.size()),
                 step.name);
  }
  for (const nn::Classifier& classifier : classifiers)
    passes.emplace_back([&](const std::vector<int32_t>& ids) {
      const std::vector<int32_t>* text = &ids;
      return classifier.logits({&text, 1}, run.pool());
    });
  if (eager) passes.push_back(eager);
  std::vector<std::vector<double>> times(passes.size());
  const int64_t measured = std::min(runs, static_cast<int64_t>(rows.size()));
  for (int64_t i = -kWarmUp; i < measured; ++i) {
    run.stop_if_asked();
    const auto row = static_cast<std::size_t>(std::max<int64_t>(i, 0));
    for (std::size_t pass = 0; pass < passes.size(); ++pass) {
      const double time = milliseconds(passes[pass], rows[row].ids);
      if (i >= 0) times[pass].push_back(time);
    }
  }
  for (std::size_t step = 0; step < steps.size(); ++step)
    result.steps[step].latency_ms = latency_of(std::move(times[step]));
  if (eager) result.eager = latency_of(std::move(times.back()));
  return result;
}

}  // namespace cupel::compress
