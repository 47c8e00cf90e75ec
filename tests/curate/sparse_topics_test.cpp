#include "curate/sparse_topics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace cupel::curate {
namespace {

constexpr int kManyTopics = 6;
constexpr int32_t kTerms = 2;

/// Counts of two terms in six topics and the tables made of them.
struct State {
  std::vector<std::vector<int32_t>> counts{{3, 0, 1, 0, 2, 0}, {0, 0, 5, 0, 0, 1}};
  std::vector<float> alpha{0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f};
  std::vector<float> own{0.01f, 0.02f, 0.04f, 0.01f, 0.02f, 0.04f};
  float beta = 0.5f;
  std::vector<float> term_topic;
  SparseTopics tables;

  State() : tables(std::vector<int64_t>{0, 6, 12}, kManyTopics) {
    for (int32_t w = 0; w < kTerms; ++w) {
      for (std::size_t k = 0; k < kManyTopics; ++k)
        term_topic.push_back((static_cast<float>(counts[static_cast<std::size_t>(w)][k]) + beta) *
                             own[k]);
      tables.set_term(w, counts[static_cast<std::size_t>(w)], alpha, own);
    }
    tables.set_rest(alpha, static_cast<double>(beta), own);
  }

  /// The chance of each topic for the first token of a document, by the formula.
  std::vector<double> expected(const std::vector<int32_t>& terms,
                               const std::vector<uint16_t>& topics, bool is_counted) const {
    std::vector<double> chance(kManyTopics);
    double total = 0;
    for (std::size_t k = 0; k < kManyTopics; ++k) {
      double n = 0;
      for (std::size_t i = 1; i < topics.size(); ++i) n += topics[i] == k ? 1 : 0;
      double count = counts[static_cast<std::size_t>(terms[0])][k];
      if (is_counted && topics[0] == k) count -= 1;
      chance[k] = (n + double{alpha[k]}) * (count + double{beta}) * double{own[k]};
      total += chance[k];
    }
    for (double& c : chance) c /= total;
    return chance;
  }
};

/// Chi-square of 200,000 draws of the first token's topic, 5 degrees of freedom: above 30 once in
/// 70,000 runs if the draws are right. The random numbers are fixed, so it does or does not pass.
double chi_square(const std::vector<int32_t>& terms, const std::vector<uint16_t>& topics,
                  bool is_counted) {
  constexpr int kDraws = 200'000;
  const State state;
  SparseSweep sweep(state.tables, state.term_topic, kManyTopics, state.alpha,
                    is_counted ? std::span<const float>(state.own) : std::span<const float>());
  Rng rng(1, "draws");
  std::vector<int64_t> found(kManyTopics);
  std::vector<uint32_t> random(2 * terms.size());
  for (int i = 0; i < kDraws; ++i) {
    for (uint32_t& bits : random) bits = static_cast<uint32_t>(rng.below(uint64_t{1} << 32));
    std::vector<uint16_t> drawn = topics;
    sweep.draw(terms, drawn, random);
    ++found[drawn[0]];
  }
  const std::vector<double> expected = state.expected(terms, topics, is_counted);
  double sum = 0;
  for (std::size_t k = 0; k < kManyTopics; ++k) {
    const double wanted = expected[k] * kDraws;
    sum += (static_cast<double>(found[k]) - wanted) * (static_cast<double>(found[k]) - wanted) /
           wanted;
  }
  return sum;
}

TEST(SparseTopics, DrawInProportionToTheFormula) {
  EXPECT_LT(chi_square({0, 1, 0}, {0, 2, 0}, true), 30);
  EXPECT_LT(chi_square({1, 0, 0, 1}, {5, 5, 3, 2}, true), 30);
}

TEST(SparseTopics, DrawForADocumentThatWasNotCounted) {
  EXPECT_LT(chi_square({0, 1, 0}, {1, 2, 0}, false), 30);
}

TEST(SparseTopics, DrawForATokenThatIsTheOnlyOneOfItsTermAndTopic) {
  EXPECT_LT(chi_square({1, 1}, {5, 5}, true), 30);
}

TEST(SparseTopics, NeverDrawOutsideTheTopicsAtTheEndsOfTheRandomNumbers) {
  const State state;
  SparseSweep sweep(state.tables, state.term_topic, kManyTopics, state.alpha, state.own);
  for (const uint32_t bits : {0u, 0xFFFFFFFFu}) {
    const std::vector<int32_t> terms{0, 1};
    const std::vector<uint32_t> random(4, bits);
    std::vector<uint16_t> topics{0, 2};
    sweep.draw(terms, topics, random);
    for (const uint16_t topic : topics) EXPECT_LT(topic, kManyTopics);
  }
}

}  // namespace
}  // namespace cupel::curate
