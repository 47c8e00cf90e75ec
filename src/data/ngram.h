// Interpolated modified Kneser-Ney n-gram model over token ids: the baseline a language model must
// beat.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace cupel {

/// Chen and Goodman 1998, section 3, "modified Kneser-Ney": the highest order uses counts, each
/// lower one the number of different tokens seen to the left; three discounts an order from its
/// counts of counts; the unigram level is mixed with the uniform distribution, so that every token
/// has a probability above zero and the probabilities of all tokens sum to one.
/// Left out: pruning, and an end-of-sequence token (no sequence is asked to end).
class NgramModel {
 public:
  static constexpr int kMaxOrder = 8;

  /// Counts `sequences`, each preceded by order-1 begin markers. Ids lie in [0, vocabulary).
  /// Throws Error{config} for an order outside 1..kMaxOrder or an empty vocabulary, Error{data}
  /// for an id outside of it or no token at all.
  NgramModel(std::span<const std::vector<int32_t>> sequences, int order, int32_t vocabulary);

  /// p(token | context). Only the last order-1 ids of `context` matter; where it is shorter, the
  /// sequence begins with it.
  double probability(std::span<const int32_t> context, int32_t token) const;

  /// Sum over the sequence of ln p(token | tokens before it), in nats.
  double log_likelihood(std::span<const int32_t> tokens) const;

  int order() const { return static_cast<int>(levels_.size()); }

 private:
  /// All n-grams of one order, sorted; those that share their first order-1 ids (the context) are
  /// neighbours.
  struct Level {
    int order = 1;
    std::vector<int32_t> grams;        // count.size() x order
    std::vector<int64_t> count;        // occurrences, or different left neighbours
    std::vector<int64_t> first;        // a context each: its first gram; one more closes the last
    std::vector<double> total;         // a context each: sum of its counts
    std::vector<double> left_over;     // a context each: share that the lower order gets
    std::array<double, 4> discount{};  // taken from a count of 0, 1, 2, 3 and more

    std::span<const int32_t> gram(int64_t i) const {
      return {grams.data() + i * order, static_cast<size_t>(order)};
    }
    double discount_of(int64_t n) const { return discount[static_cast<size_t>(n < 3 ? n : 3)]; }
  };

  static Level count_runs(int order, std::span<const int32_t> rows, int64_t row_stride,
                          std::vector<int64_t> starts);
  static void set_discounts(Level& level);
  static void set_contexts(Level& level);
  double interpolated(std::span<const int32_t> history_and_token) const;
  void check(int32_t token) const;

  std::vector<Level> levels_;  // order 1 first
  int32_t vocabulary_;
};

/// Bits a byte of a text of `bytes` bytes whose tokens have this log likelihood (nats).
double bits_per_byte(double log_likelihood, int64_t bytes);

}  // namespace cupel
