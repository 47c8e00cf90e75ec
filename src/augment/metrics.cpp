#include "augment/metrics.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/error.h"

namespace cupel::augment {
namespace {

constexpr int64_t kEvaluationSteps = 20;

double f1_of(int64_t hits, int64_t found, int64_t positives) {
  if (hits == 0) return 0;
  return 2 * static_cast<double>(hits) / static_cast<double>(found + positives);
}

/// Calls visit(score, hits, found) after each distinct score, from the highest down.
template <class Visit>
void walk_down(std::span<const float> scores, std::span<const uint8_t> labels, Visit visit) {
  CUPEL_ASSERT(scores.size() == labels.size());
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t i) { return scores[i]; });
  int64_t hits = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    hits += labels[order[i]];
    const bool last = i + 1 == order.size() || scores[order[i + 1]] != scores[order[i]];
    if (last) visit(scores[order[i]], hits, static_cast<int64_t>(i) + 1);
  }
}

int64_t positives_of(std::span<const uint8_t> labels) {
  return std::accumulate(labels.begin(), labels.end(), int64_t{0});
}

/// body(network's buffers, first row, rows of the batch).
template <class Body>
void for_each_batch(int64_t rows, ThreadPool& pool, Body body) {
  const int64_t batches = (rows + kBatch - 1) / kBatch;
  pool.parallel_for(batches, 8, [&](int64_t begin, int64_t end) {
    AttackSpace space;
    for (int64_t b = begin; b < end; ++b)
      body(space, b * kBatch, std::min(kBatch, rows - b * kBatch));
  });
}

}  // namespace

double f1(std::span<const float> scores, std::span<const uint8_t> labels, float threshold) {
  CUPEL_ASSERT(scores.size() == labels.size());
  int64_t hits = 0, found = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!(scores[i] >= threshold)) continue;
    ++found;
    hits += labels[i];
  }
  return f1_of(hits, found, positives_of(labels));
}

float best_threshold(std::span<const float> scores, std::span<const uint8_t> labels) {
  const int64_t positives = positives_of(labels);
  float best = std::numeric_limits<float>::infinity();
  double best_f1 = 0;
  walk_down(scores, labels, [&](float score, int64_t hits, int64_t found) {
    const double here = f1_of(hits, found, positives);
    if (here <= best_f1) return;
    best_f1 = here;
    best = score;
  });
  return best;
}

double average_precision(std::span<const float> scores, std::span<const uint8_t> labels) {
  double sum = 0;
  int64_t before = 0;
  walk_down(scores, labels, [&](float, int64_t hits, int64_t found) {
    sum +=
        static_cast<double>(hits - before) * static_cast<double>(hits) / static_cast<double>(found);
    before = hits;
  });
  return before == 0 ? 0 : sum / static_cast<double>(before);
}

std::vector<float> score(const Mlp& network, const Rows& rows, ThreadPool& pool) {
  std::vector<float> scores(static_cast<std::size_t>(rows.size()));
  for_each_batch(rows.size(), pool, [&](AttackSpace& space, int64_t first, int64_t count) {
    network.forward(rows.row(first), count, space.pass);
    std::copy_n(space.pass.logits.begin(), count, scores.begin() + first);
  });
  return scores;
}

std::vector<float> score_attacked(const AdversarialAugmentation& how, const Perturber& perturber,
                                  const Mlp& network, const Rows& rows, Moves moves, uint64_t seed,
                                  ThreadPool& pool) {
  const Rows positives = moves == Moves::positives ? rows.positives() : Rows{};
  const Rows& moving = moves == Moves::positives ? positives : rows;
  std::vector<float> moved_scores(static_cast<std::size_t>(moving.size()));
  for_each_batch(moving.size(), pool, [&](AttackSpace& space, int64_t first, int64_t count) {
    Rng rng(seed, "augment evaluation", static_cast<uint64_t>(first));
    std::vector<float> moved(static_cast<std::size_t>(count * network.width()));
    attack(how, perturber, network, moving.row(first), moving.labels.data() + first, count, rng,
           space, moved.data());
    network.forward(moved.data(), count, space.pass);
    std::copy_n(space.pass.logits.begin(), count, moved_scores.begin() + first);
  });
  if (moves == Moves::all) return moved_scores;
  std::vector<float> scores = score(network, rows, pool);
  std::size_t next = 0;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (rows.labels[i] != 0) scores[i] = moved_scores[next++];
  return scores;
}

Scores evaluate(const Mlp& network, float threshold, const Perturber& perturber,
                const AdversarialAugmentation& how, const Rows& rows, uint64_t seed,
                ThreadPool& pool) {
  AdversarialAugmentation strong = how, noise = how;
  strong.method = Method::pgd;
  strong.steps = kEvaluationSteps;
  noise.method = Method::noise;
  const auto attacked = [&](const AdversarialAugmentation& by, Moves moves) {
    const auto scores = score_attacked(by, perturber, network, rows, moves, seed, pool);
    return f1(scores, rows.labels, threshold);
  };
  const std::vector<float> clean = score(network, rows, pool);
  Scores out;
  out.clean_f1 = f1(clean, rows.labels, threshold);
  out.ap = average_precision(clean, rows.labels);
  out.robust_f1 = attacked(strong, Moves::all);
  out.evasion_f1 = attacked(strong, Moves::positives);
  out.noise_f1 = attacked(noise, Moves::all);
  std::map<std::string, std::pair<int64_t, int64_t>> found;
  for (std::size_t i = 0; i < clean.size() && !rows.groups.empty(); ++i) {
    if (rows.labels[i] == 0) continue;
    auto& [hits, all] = found[rows.groups[i]];
    hits += clean[i] >= threshold;
    ++all;
  }
  for (const auto& [group, counts] : found)
    out.recall[group] = static_cast<double>(counts.first) / static_cast<double>(counts.second);
  return out;
}

}  // namespace cupel::augment
