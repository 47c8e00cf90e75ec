// Latent Dirichlet allocation (Blei, Ng and Jordan 2003) by collapsed Gibbs sampling.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "curate/sparse_topics.h"
#include "curate/vocabulary.h"

namespace cupel::curate {

inline constexpr int kMaxLdaTopics = 4096;

struct LdaOptions {
  int topics = 100;    // 1 … kMaxLdaTopics
  double alpha = 0.1;  // prior count of each topic in a document, to begin with
  double beta = 0.01;  // prior count of each term in a topic
  int sweeps = 100;
  bool optimize_alpha = true;  // a value for each topic, from the data
};

/// Sampler of Griffiths and Steyvers (2004). The counts of terms stand still during a sweep and are
/// taken anew at its end (Newman et al. 2009, with each document a processor of its own), those of
/// topics in a document never do; so the result is the same for any number of threads, and on every
/// kernel row. Up to kMaxTopics topics a draw looks at all of them, above only at those that the
/// document and the term have (curate/sparse_topics.h). The random number of a token depends on
/// seed, sweep, document and place alone. alpha: fixed point of Minka (2000) in the form of Wallach
/// (2008), every tenth sweep from the twentieth on. Left out: optimising beta, averaging over
/// samples.
class LdaModel {
 public:
  /// Terms lie in [0, vocabulary). `poll` is called once a sweep and may throw to end it.
  /// A number of topics outside 1 … kMaxLdaTopics is Error{bug}.
  static LdaModel fit(const TermDocuments& documents, int32_t vocabulary, const LdaOptions& options,
                      uint64_t seed, ThreadPool& pool, const std::function<void()>& poll = {});

  int topics() const { return topics_; }
  int32_t vocabulary() const { return vocabulary_; }
  /// p(term | topic), as the sampler reads it.
  float probability(int32_t term, int topic) const;
  /// The prior counts of the topics.
  std::span<const float> alpha() const {
    return std::span(alpha_).first(static_cast<std::size_t>(topics_));
  }

  /// Tokens of the document by topic, summed over the last half of kFoldInSweeps sweeps in which
  /// the topics stand still. Integers, so that sums over them are exact. Depends on the terms and
  /// the fit's seed alone.
  static constexpr int kFoldInSweeps = 20;
  std::vector<int64_t> fold_in(std::span<const int32_t> document) const;

  /// Mean ln p(term) in nats over every second token of the documents, given the topics that the
  /// others fold into (document completion: Wallach et al. 2009, section 5.1).
  double held_out_likelihood(const TermDocuments& documents, ThreadPool& pool) const;

 private:
  friend class LdaSampler;
  bool is_sparse() const;
  int topics_ = 0, padded_topics_ = 0;
  int32_t vocabulary_ = 0;
  uint64_t key_ = 0;
  std::vector<float> term_topic_;  // vocabulary x padded_topics
  std::vector<float> alpha_;       // padded_topics
  SparseTopics sparse_;            // of a model with many topics
};

}  // namespace cupel::curate
