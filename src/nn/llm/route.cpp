#include "nn/llm/route.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace cupel::llm {
namespace {

using Scores = std::vector<double>;

Scores sigmoid(const float* logits, std::size_t count) {
  Scores scores(count);
  for (std::size_t i = 0; i < count; ++i)
    scores[i] = 1 / (1 + std::exp(-static_cast<double>(logits[i])));
  return scores;
}

Scores softmax(const float* logits, std::size_t count) {
  const auto largest = static_cast<double>(*std::max_element(logits, logits + count));
  Scores scores(count);
  for (std::size_t i = 0; i < count; ++i)
    scores[i] = std::exp(static_cast<double>(logits[i]) - largest);
  const double sum = std::accumulate(scores.begin(), scores.end(), 0.0);
  for (double& score : scores) score /= sum;
  return scores;
}

/// Places of the `count` largest, the first of equals before the others.
std::vector<std::size_t> largest_of(const Scores& scores, std::size_t count) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  order.resize(count);
  return order;
}

/// Scores outside the best groups become -infinity.
void keep_best_groups(const ModelConfig& config, std::size_t best_of_group, Scores& scores) {
  const auto groups = static_cast<std::size_t>(config.n_group), size = scores.size() / groups;
  if (groups == 1) return;
  Scores of_group(groups);
  for (std::size_t g = 0; g < groups; ++g) {
    Scores members(scores.begin() + static_cast<std::ptrdiff_t>(g * size),
                   scores.begin() + static_cast<std::ptrdiff_t>((g + 1) * size));
    std::ranges::sort(members, std::greater<>());
    of_group[g] = std::accumulate(
        members.begin(), members.begin() + static_cast<std::ptrdiff_t>(best_of_group), 0.0);
  }
  std::vector<bool> kept(groups);
  for (const std::size_t g : largest_of(of_group, static_cast<std::size_t>(config.topk_group)))
    kept[g] = true;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (!kept[i / size]) scores[i] = -std::numeric_limits<double>::infinity();
}

}  // namespace

RoutedTokens route(const ModelConfig& config, const std::vector<float>& balance,
                   const float* logits, int64_t rows) {
  const auto experts = static_cast<std::size_t>(config.n_routed_experts);
  RoutedTokens routed;
  routed.of_expert.resize(experts);
  for (int64_t row = 0; row < rows; ++row, logits += experts) {
    const Scores scores = balance.empty() ? softmax(logits, experts) : sigmoid(logits, experts);
    Scores biased = scores;
    for (std::size_t i = 0; i < balance.size(); ++i) biased[i] += static_cast<double>(balance[i]);
    keep_best_groups(config, balance.empty() ? 1 : 2, biased);
    const std::vector<std::size_t> chosen =
        largest_of(biased, static_cast<std::size_t>(config.num_experts_per_tok));
    double sum = 0;
    for (const std::size_t expert : chosen) sum += scores[expert];
    const double factor =
        config.routed_scaling_factor / (config.normalises_experts() ? sum + 1e-20 : 1);
    for (const std::size_t expert : chosen)
      routed.of_expert[expert].push_back({row, static_cast<float>(scores[expert] * factor)});
  }
  return routed;
}

}  // namespace cupel::llm
