#include "curate/lda.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>

#include "base/error.h"
#include "base/rng.h"
#include "kernels/kernels.h"

namespace cupel::curate {
namespace {

constexpr int64_t kDocumentsAChunk = 64, kTermsAChunk = 256;
constexpr int kFirstAlphaSweep = 20, kAlphaEvery = 10;

/// 32 bits for each token of a document in a sweep, four from a block.
void fill_random(uint64_t key, uint64_t document, uint32_t sweep, std::span<uint32_t> bits) {
  for (std::size_t i = 0; i < bits.size(); i += 4) {
    const std::array<uint32_t, 4> block =
        philox4x32({static_cast<uint32_t>(i / 4), sweep, static_cast<uint32_t>(document),
                    static_cast<uint32_t>(document >> 32)},
                   {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)});
    std::copy_n(block.begin(), std::min<std::size_t>(4, bits.size() - i),
                bits.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

/// Of `topics`, by 32 random bits.
uint16_t any_topic(uint32_t bits, int topics) {
  return static_cast<uint16_t>(uint64_t{bits} * static_cast<uint64_t>(topics) >> 32);
}

/// Where each term stands, term by term.
struct Index {
  std::vector<int64_t> first, tokens;

  Index(std::span<const int32_t> terms, int32_t vocabulary)
      : first(place(vocabulary) + 1), tokens(terms.size()) {
    for (const int32_t term : terms) ++first[place(term) + 1];
    for (std::size_t w = 1; w < first.size(); ++w) first[w] += first[w - 1];
    std::vector<int64_t> next(first.begin(), first.end() - 1);
    for (std::size_t i = 0; i < terms.size(); ++i)
      tokens[place(next[place(terms[i])]++)] = static_cast<int64_t>(i);
  }
};

}  // namespace

/// The state of a fit: a topic for each token.
class LdaSampler {
 public:
  LdaSampler(const TermDocuments& documents, const LdaOptions& options, LdaModel& model,
             ThreadPool& pool)
      : documents_(documents),
        options_(options),
        model_(model),
        pool_(pool),
        index_(documents.terms, model.vocabulary_),
        topics_(documents.terms.size()),
        own_(place(model.padded_topics_)) {}

  void run(const std::function<void()>& poll) {
    if (model_.is_sparse()) model_.sparse_ = SparseTopics(index_.first, model_.topics_);
    begin();
    for (int sweep = 1; sweep <= options_.sweeps; ++sweep) {
      if (poll) poll();
      count_terms();
      draw(static_cast<uint32_t>(sweep));
      const bool due = sweep >= kFirstAlphaSweep && sweep % kAlphaEvery == 0;
      if (options_.optimize_alpha && due) optimize_alpha();
    }
    count_terms();
  }

 private:
  /// body(document) for all of them, on all threads.
  template <class Body>
  void for_each_document(const Body& body) {
    pool_.parallel_for(documents_.size(), kDocumentsAChunk, [&](int64_t begin, int64_t end) {
      for (int64_t d = begin; d < end; ++d) body(d);
    });
  }

  void begin() {
    for_each_document([&](int64_t d) {
      std::vector<uint32_t> bits(documents_[d].size());
      fill_random(model_.key_, static_cast<uint64_t>(d), 0, bits);
      uint16_t* topics = topics_.data() + documents_.first[place(d)];
      for (const uint32_t b : bits) *topics++ = any_topic(b, model_.topics_);
    });
  }

  /// Tokens of each topic.
  std::vector<int64_t> topic_sizes() {
    std::vector<std::atomic<int64_t>> sizes(place(model_.topics_));
    constexpr int64_t kTokensAChunk = 1 << 16;
    const int64_t tokens = static_cast<int64_t>(topics_.size());
    pool_.parallel_for(tokens, kTokensAChunk, [&](int64_t begin, int64_t end) {
      std::vector<int64_t> counts(sizes.size());
      for (int64_t i = begin; i < end; ++i) ++counts[topics_[place(i)]];
      for (std::size_t k = 0; k < counts.size(); ++k) sizes[k] += counts[k];
    });
    return {sizes.begin(), sizes.end()};
  }

  /// (count of the term in the topic + beta) / (tokens of the topic + vocabulary * beta).
  void count_terms() {
    const std::vector<int64_t> sizes = topic_sizes();
    const double prior = model_.vocabulary_ * options_.beta;
    for (std::size_t k = 0; k < sizes.size(); ++k)
      own_[k] = static_cast<float>(1 / (static_cast<double>(sizes[k]) + prior));
    const auto beta = static_cast<float>(options_.beta);
    pool_.parallel_for(model_.vocabulary_, kTermsAChunk, [&](int64_t begin, int64_t end) {
      std::vector<int32_t> counts(sizes.size());
      for (int64_t w = begin; w < end; ++w) {
        std::fill(counts.begin(), counts.end(), 0);
        for (int64_t i = index_.first[place(w)]; i < index_.first[place(w) + 1]; ++i)
          ++counts[topics_[place(index_.tokens[place(i)])]];
        float* row = model_.term_topic_.data() + w * model_.padded_topics_;
        for (std::size_t k = 0; k < sizes.size(); ++k)
          row[k] = (static_cast<float>(counts[k]) + beta) * own_[k];
        if (model_.is_sparse()) model_.sparse_.set_term(w, counts, model_.alpha_, own_);
      }
    });
    if (model_.is_sparse()) model_.sparse_.set_rest(model_.alpha_, options_.beta, own_);
  }

  void draw(uint32_t sweep) {
    if (model_.is_sparse()) {
      draw_sparsely(sweep);
    } else {
      draw_densely(sweep);
    }
  }

  void draw_sparsely(uint32_t sweep) {
    pool_.parallel_for(documents_.size(), kDocumentsAChunk, [&](int64_t begin, int64_t end) {
      SparseSweep draws(model_.sparse_, model_.term_topic_, model_.padded_topics_, model_.alpha_,
                        own_);
      std::vector<uint32_t> bits;
      for (int64_t d = begin; d < end; ++d) {
        bits.resize(2 * documents_[d].size());
        fill_random(model_.key_, static_cast<uint64_t>(d), sweep, bits);
        draws.draw(
            documents_[d],
            std::span(topics_).subspan(place(documents_.first[place(d)]), documents_[d].size()),
            bits);
      }
    });
  }

  void draw_densely(uint32_t sweep) {
    pool_.parallel_for(documents_.size(), kDocumentsAChunk, [&](int64_t begin, int64_t end) {
      const int64_t from = documents_.first[place(begin)];
      std::vector<int64_t> first;
      for (int64_t d = begin; d <= end; ++d) first.push_back(documents_.first[place(d)] - from);
      std::vector<uint32_t> bits(place(first.back()));
      for (int64_t d = begin; d < end; ++d) {
        fill_random(model_.key_, static_cast<uint64_t>(d), sweep,
                    std::span(bits).subspan(place(first[place(d - begin)]), documents_[d].size()));
      }
      kernels().topic_sweep({.documents = end - begin,
                             .first = first.data(),
                             .terms = documents_.terms.data() + from,
                             .topics = topics_.data() + from,
                             .random = bits.data(),
                             .padded_topics = model_.padded_topics_,
                             .term_topic = model_.term_topic_.data(),
                             .alpha = model_.alpha_.data(),
                             .own = own_.data()});
    });
  }

  void optimize_alpha();

  const TermDocuments& documents_;
  const LdaOptions& options_;
  LdaModel& model_;
  ThreadPool& pool_;
  Index index_;
  std::vector<uint16_t> topics_;
  std::vector<float> own_;  // 1 / (tokens of the topic + vocabulary * beta)
};

namespace {

/// Sum over documents of digamma(n + prior) - digamma(prior), where `documents[n]` of them have the
/// count n: the difference is the sum of 1 / (prior + i) over i < n, so no digamma is needed.
double digamma_gain(std::span<const int64_t> documents, double prior) {
  double gain = 0, sum = 0;
  for (std::size_t n = 1; n < documents.size(); ++n) {
    gain += 1 / (prior + static_cast<double>(n - 1));
    sum += static_cast<double>(documents[n]) * gain;
  }
  return sum;
}

using Histogram = std::vector<int64_t>;

void count_in(Histogram& histogram, int64_t n) {
  if (histogram.size() <= place(n)) histogram.resize(place(n) + 1);
  ++histogram[place(n)];
}

}  // namespace

void LdaSampler::optimize_alpha() {
  constexpr int kSteps = 5;
  constexpr double kLeast = 1e-4;
  Histogram lengths;
  std::vector<Histogram> counts(place(model_.topics_));
  for (int64_t d = 0; d < documents_.size(); ++d) {
    std::vector<int64_t> topics(counts.size());
    for (int64_t i = documents_.first[place(d)]; i < documents_.first[place(d) + 1]; ++i)
      ++topics[topics_[place(i)]];
    count_in(lengths, static_cast<int64_t>(documents_[d].size()));
    for (std::size_t k = 0; k < counts.size(); ++k) count_in(counts[k], topics[k]);
  }
  std::vector<double> alpha(model_.alpha_.begin(), model_.alpha_.begin() + model_.topics_);
  for (int step = 0; step < kSteps; ++step) {
    double total = 0;
    for (const double a : alpha) total += a;
    const double expected = digamma_gain(lengths, total);
    if (!(expected > 0)) return;  // no document has a token
    for (std::size_t k = 0; k < alpha.size(); ++k)
      alpha[k] = std::max(kLeast, alpha[k] * digamma_gain(counts[k], alpha[k]) / expected);
  }
  for (std::size_t k = 0; k < alpha.size(); ++k) model_.alpha_[k] = static_cast<float>(alpha[k]);
}

LdaModel LdaModel::fit(const TermDocuments& documents, int32_t vocabulary,
                       const LdaOptions& options, uint64_t seed, ThreadPool& pool,
                       const std::function<void()>& poll) {
  CUPEL_ASSERT(options.topics >= 1 && options.topics <= kMaxLdaTopics);
  LdaModel model;
  model.topics_ = options.topics;
  model.padded_topics_ =
      static_cast<int>((options.topics + kTopicLanes - 1) / kTopicLanes * kTopicLanes);
  model.vocabulary_ = vocabulary;
  model.key_ = hash64("curate.lda", seed);
  model.term_topic_.resize(place(vocabulary) * place(model.padded_topics_));
  model.alpha_.resize(place(model.padded_topics_));
  std::fill_n(model.alpha_.begin(), options.topics, static_cast<float>(options.alpha));
  LdaSampler(documents, options, model, pool).run(poll);
  return model;
}

bool LdaModel::is_sparse() const { return padded_topics_ > kMaxTopics; }

float LdaModel::probability(int32_t term, int topic) const {
  return term_topic_[place(term) * place(padded_topics_) + place(topic)];
}

std::vector<int64_t> LdaModel::fold_in(std::span<const int32_t> document) const {
  const uint64_t name =
      hash64({reinterpret_cast<const char*>(document.data()), document.size_bytes()}, key_);
  const std::array<int64_t, 2> first = {0, static_cast<int64_t>(document.size())};
  std::vector<uint16_t> topics(document.size());
  std::vector<uint32_t> bits(document.size());
  fill_random(key_, name, 0, bits);
  for (std::size_t i = 0; i < bits.size(); ++i) topics[i] = any_topic(bits[i], topics_);
  if (is_sparse()) bits.resize(2 * document.size());
  const std::array<float, kMaxTopics> own{};  // the topics do not learn from it
  SparseSweep draws(sparse_, term_topic_, padded_topics_, alpha_, {});
  std::vector<int64_t> counts(place(topics_));
  for (int sweep = 1; sweep <= kFoldInSweeps; ++sweep) {
    fill_random(key_, name, static_cast<uint32_t>(sweep), bits);
    if (is_sparse()) {
      draws.draw(document, topics, bits);
    } else {
      kernels().topic_sweep({.documents = 1,
                             .first = first.data(),
                             .terms = document.data(),
                             .topics = topics.data(),
                             .random = bits.data(),
                             .padded_topics = padded_topics_,
                             .term_topic = term_topic_.data(),
                             .alpha = alpha_.data(),
                             .own = own.data()});
    }
    if (2 * sweep <= kFoldInSweeps) continue;
    for (const uint16_t topic : topics) ++counts[topic];
  }
  return counts;
}

double LdaModel::held_out_likelihood(const TermDocuments& documents, ThreadPool& pool) const {
  std::vector<double> sums(place(documents.size()));
  std::vector<int64_t> sizes(place(documents.size()));
  pool.parallel_for(documents.size(), 16, [&](int64_t begin, int64_t end) {
    for (int64_t d = begin; d < end; ++d) {
      std::array<std::vector<int32_t>, 2> halves;
      for (std::size_t i = 0; i < documents[d].size(); ++i)
        halves[i % 2].push_back(documents[d][i]);
      const std::vector<int64_t> counts = fold_in(halves[0]);
      std::vector<double> share(counts.size());
      double total = 0;
      for (std::size_t k = 0; k < share.size(); ++k) {
        share[k] =
            static_cast<double>(counts[k]) / (kFoldInSweeps / 2) + static_cast<double>(alpha_[k]);
        total += share[k];
      }
      for (const int32_t term : halves[1]) {
        double chance = 0;
        for (std::size_t k = 0; k < share.size(); ++k)
          chance += share[k] / total * static_cast<double>(probability(term, static_cast<int>(k)));
        sums[place(d)] += std::log(chance);
      }
      sizes[place(d)] = static_cast<int64_t>(halves[1].size());
    }
  });
  double sum = 0;
  int64_t tokens = 0;
  for (std::size_t d = 0; d < sums.size(); ++d) sum += sums[d], tokens += sizes[d];
  return tokens == 0 ? 0 : sum / static_cast<double>(tokens);
}

}  // namespace cupel::curate
