#include "compress/language_measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "base/stats.h"
#include "nn/llm/decoder_forward.h"
#include "nn/llm/model_files.h"

namespace cupel::compress {
namespace {

constexpr int64_t kLogitRows = 64, kDecoded = 16;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Sums over the tokens of a window.
struct Distance {
  double nats = 0, divergence = 0;
  int64_t tokens = 0, agreed = 0;
};

struct Model {
  Model(const LanguageStep& step, ThreadPool& pool)
      : config(llm::model_config_of(step.model)),
        weights(llm::take_decoder_weights(llm::tensors_of(step.model, config), config, step.format,
                                          pool, step.model.string())),
        forward(config, weights, pool) {}

  /// Logits behind rows [begin, begin + count) of the last extend().
  const float* logits(int64_t begin, int64_t count) {
    std::vector<int64_t> rows;
    for (int64_t i = 0; i < count; ++i) rows.push_back(begin + i);
    scores.resize(static_cast<std::size_t>(kLogitRows * config.vocab_size));
    forward.logits(rows, scores.data());
    return scores.data();
  }
  int32_t best_after(int64_t row) {
    const float* all = logits(row, 1);
    return static_cast<int32_t>(std::max_element(all, all + config.vocab_size) - all);
  }
  void extend(llm::KeyValueCache& cache, std::span<const int32_t> ids) {
    const llm::Continuation next{&cache, ids};
    forward.extend({&next, 1});
  }

  llm::ModelConfig config;
  llm::DecoderWeights weights;
  llm::DecoderForward forward;
  std::vector<float> scores;
  std::vector<Distance> windows;
  std::vector<double> prefill, decode;  // seconds a token
};

/// log Σ exp of one row.
double log_sum(std::span<const float> logits) {
  const auto largest = static_cast<double>(*std::ranges::max_element(logits));
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return largest + std::log(sum);
}

/// Of one token: -ln q(target), KL(p ‖ q), whether both like the same token best.
Distance distance(std::span<const float> exact, std::span<const float> other, int32_t target) {
  const double of_exact = log_sum(exact), of_other = log_sum(other);
  double divergence = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double ln_p = static_cast<double>(exact[i]) - of_exact;
    divergence += std::exp(ln_p) * (ln_p - (static_cast<double>(other[i]) - of_other));
  }
  const bool agreed = std::ranges::max_element(exact) - exact.begin() ==
                      std::ranges::max_element(other) - other.begin();
  return {of_other - static_cast<double>(other[static_cast<std::size_t>(target)]), divergence, 1,
          agreed};
}

void weigh(const TokenWindow& window, std::vector<std::unique_ptr<Model>>& models, Run& run) {
  const auto targets = static_cast<int64_t>(window.size()) - 1;
  std::vector<llm::KeyValueCache> caches(models.size());
  for (std::size_t m = 0; m < models.size(); ++m) {
    models[m]->extend(caches[m], std::span(window).first(window.size() - 1));
    models[m]->windows.emplace_back();
  }
  const auto vocabulary = static_cast<std::size_t>(models[0]->config.vocab_size);
  for (int64_t begin = 0; begin < targets; begin += kLogitRows) {
    const int64_t count = std::min(kLogitRows, targets - begin);
    const float* exact = models[0]->logits(begin, count);
    for (const std::unique_ptr<Model>& model : models) {
      const float* other = model == models[0] ? exact : model->logits(begin, count);
      std::vector<Distance> each(static_cast<std::size_t>(count));
      run.pool().parallel_for(count, 1, [&](int64_t i, int64_t) {
        const std::size_t at = static_cast<std::size_t>(i) * vocabulary;
        each[static_cast<std::size_t>(i)] =
            distance({exact + at, vocabulary}, {other + at, vocabulary},
                     window[static_cast<std::size_t>(begin + i + 1)]);
      });
      Distance& sum = model->windows.back();
      for (const Distance& one : each) {
        sum.nats += one.nats;
        sum.divergence += one.divergence;
        sum.tokens += one.tokens;
        sum.agreed += one.agreed;
      }
    }
  }
}

void time_window(const TokenWindow& window, Model& model) {
  llm::KeyValueCache cache;
  auto begin = Clock::now();
  model.extend(cache, window);
  model.prefill.push_back(seconds_since(begin) / static_cast<double>(window.size()));
  int32_t next = model.best_after(static_cast<int64_t>(window.size()) - 1);
  const int64_t count = std::min(kDecoded, model.config.max_position_embeddings - cache.length());
  if (count < 1) return;
  begin = Clock::now();
  for (int64_t i = 0; i < count; ++i) {
    model.extend(cache, {&next, 1});
    next = model.best_after(0);
  }
  model.decode.push_back(seconds_since(begin) / static_cast<double>(count));
}

/// A ratio of sums over the windows, with a bootstrap over them.
std::array<double, 2> interval_of(const std::vector<Distance>& windows,
                                  const std::function<double(const Distance&)>& value, Rng rng) {
  std::vector<double> all(windows.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<double>(i);
  const auto statistic = [&](std::span<const double> chosen) {
    double sum = 0, tokens = 0;
    for (const double at : chosen) {
      const Distance& window = windows[static_cast<std::size_t>(at)];
      sum += value(window);
      tokens += static_cast<double>(window.tokens);
    }
    return sum / tokens;
  };
  const Interval interval = bootstrap_interval(all, statistic, rng);
  return {interval.low, interval.high};
}

LanguageReport report_of(const std::string& name, const Model& model, const Run& run) {
  Distance sum;
  for (const Distance& window : model.windows) {
    sum.nats += window.nats;
    sum.divergence += window.divergence;
    sum.tokens += window.tokens;
    sum.agreed += window.agreed;
  }
  const auto tokens = static_cast<double>(sum.tokens);
  LanguageReport report;
  report.name = name;
  report.tokens = sum.tokens;
  report.perplexity = std::exp(sum.nats / tokens);
  report.kl_divergence = sum.divergence / tokens;
  report.kl_interval = interval_of(
      model.windows, [](const Distance& window) { return window.divergence; },
      run.stream("bootstrap of " + name));
  report.top1_agreement = static_cast<double>(sum.agreed) / tokens;
  report.prefill_tokens_per_second = 1 / quantile(model.prefill, 0.5);
  if (!model.decode.empty()) report.decode_tokens_per_second = 1 / quantile(model.decode, 0.5);
  return report;
}

}  // namespace

std::vector<LanguageReport> measure_language(const std::vector<LanguageStep>& steps,
                                             const std::vector<TokenWindow>& windows, int64_t runs,
                                             Run& run) {
  const auto section = run.section("measure");
  std::vector<std::unique_ptr<Model>> models;
  for (const LanguageStep& step : steps)
    models.push_back(std::make_unique<Model>(step, run.pool()));
  for (std::size_t i = 0; i < windows.size(); ++i) {
    run.stop_if_asked();
    weigh(windows[i], models, run);
    if (static_cast<int64_t>(i) < runs)
      for (const std::unique_ptr<Model>& model : models) time_window(windows[i], *model);
    run.progress(static_cast<int64_t>(i) + 1, static_cast<int64_t>(windows.size()), "windows");
  }
  std::vector<LanguageReport> reports;
  for (std::size_t m = 0; m < models.size(); ++m)
    reports.push_back(report_of(steps[m].name, *models[m], run));
  return reports;
}

}  // namespace cupel::compress
