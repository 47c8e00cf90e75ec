// How well scores find the positives of a table, with and without somebody who moves the rows.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "augment/attack.h"
#include "augment/dataset.h"
#include "base/parallel.h"

namespace cupel::augment {

/// 2 TP / (2 TP + FP + FN) of "score >= threshold"; 0 where nothing is found.
double f1(std::span<const float> scores, std::span<const uint8_t> labels, float threshold);
/// The score whose F1 is greatest as a threshold (the highest such); infinity without positives.
float best_threshold(std::span<const float> scores, std::span<const uint8_t> labels);
/// Σ (R_n - R_n-1) P_n over the distinct scores, descending. 0 without positives.
double average_precision(std::span<const float> scores, std::span<const uint8_t> labels);

/// Logits of all rows.
std::vector<float> score(const Mlp& network, const Rows& rows, ThreadPool& pool);

enum class Moves { all, positives };  // whose rows the attacker moves
/// Logits of the rows after an attack on them. A function of `seed`, not of the threads.
std::vector<float> score_attacked(const AdversarialAugmentation& how, const Perturber& perturber,
                                  const Mlp& network, const Rows& rows, Moves moves, uint64_t seed,
                                  ThreadPool& pool);

struct Scores {
  double clean_f1 = 0, robust_f1 = 0, evasion_f1 = 0, noise_f1 = 0, ap = 0;
  std::map<std::string, double> recall;  // clean, by group of the positives
};

/// All figures of one network on `rows`: at `threshold`, clean, under PGD-20 (both classes move,
/// then positives alone) and under noise.
Scores evaluate(const Mlp& network, float threshold, const Perturber& perturber,
                const AdversarialAugmentation& how, const Rows& rows, uint64_t seed,
                ThreadPool& pool);

}  // namespace cupel::augment
