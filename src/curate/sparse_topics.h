// Draws of topics whose time grows with the topics that a document and a term have, not with how
// many there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cupel::curate {

/// Of a count, which is never negative, where it stands in a table.
constexpr std::size_t place(int64_t i) { return static_cast<std::size_t>(i); }

/// What of a draw's chances does not change during a sweep, as tables. The chance of topic k,
/// (n[k] + alpha[k]) * (count[term, k] + beta) * own[k], falls into three sums: what the document
/// gives (n[k] > 0), what the term gives (alpha[k] * count[term, k] * own[k]) and the rest
/// (alpha[k] * beta * own[k]); the latter two stand here. Yao, Mimno and McCallum 2009 (SparseLDA),
/// with counts of terms that stand still during a sweep.
struct SparseTopics {
  std::vector<int64_t> first;       // by term: where its topics begin; vocabulary + 1
  std::vector<int32_t> size;        // by term: how many it has
  std::vector<uint16_t> topic;      // of a term, in ascending order
  std::vector<double> term_chance;  // summed up to and with each of them
  std::vector<double> rest_chance;  // of all topics, summed up to and with each of them

  /// Room for terms that stand `tokens[w + 1] - tokens[w]` times.
  SparseTopics(std::span<const int64_t> tokens, int topics);
  SparseTopics() = default;

  /// The term's topics are those it is counted in. counts, alpha, own: a value a topic. Terms may
  /// be set on several threads.
  void set_term(int64_t term, std::span<const int32_t> counts, std::span<const float> alpha,
                std::span<const float> own);
  void set_rest(std::span<const float> alpha, double beta, std::span<const float> own);
};

/// One document after the other. Not for several threads at once.
class SparseSweep {
 public:
  /// term_topic: [vocabulary, stride], (count + beta) * own. own is empty where the tokens are not
  /// among those that were counted (folding in).
  SparseSweep(const SparseTopics& tables, std::span<const float> term_topic, int64_t stride,
              std::span<const float> alpha, std::span<const float> own);

  /// Draws a topic for each token as Kernels::topic_sweep does, though not the same one. random:
  /// two a token, of which 53 bits are used.
  void draw(std::span<const int32_t> terms, std::span<uint16_t> topics,
            std::span<const uint32_t> random);

 private:
  void add(uint16_t topic);
  void remove(uint16_t topic);
  uint16_t draw_token(int64_t term, uint16_t old, double uniform);
  uint16_t of_term(int64_t term, uint16_t old, double x, double left_out) const;

  const SparseTopics& tables_;
  std::span<const float> term_topic_;
  int64_t stride_;
  std::span<const float> alpha_, own_;
  std::vector<int32_t> count_;     // of the document, by topic
  std::vector<int32_t> place_;     // by topic: where it stands in present_
  std::vector<uint16_t> present_;  // topics of the document, in no order
  std::vector<double> sums_;       // of chances along present_
};

}  // namespace cupel::curate
