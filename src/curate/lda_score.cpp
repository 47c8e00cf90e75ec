#include "curate/lda_score.h"

#include <atomic>

#include "curate/weight.h"

namespace cupel::curate {
namespace {

std::vector<std::string_view> joined(std::span<const std::string_view> a,
                                     std::span<const std::string_view> b) {
  std::vector<std::string_view> all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

TermDocuments encoded(std::span<const std::string_view> texts, const Vocabulary& vocabulary,
                      ThreadPool& pool) {
  std::vector<std::vector<int32_t>> ids(texts.size());
  pool.parallel_for(static_cast<int64_t>(texts.size()), 16, [&](int64_t begin, int64_t end) {
    for (auto d = static_cast<std::size_t>(begin); d < static_cast<std::size_t>(end); ++d)
      ids[d] = vocabulary.encode(texts[d]);
  });
  TermDocuments documents;
  for (const std::vector<int32_t>& document : ids) documents.add(document);
  return documents;
}

/// Tokens by topic of documents begin … end - 1.
std::vector<int64_t> topics_of(const TermDocuments& documents, int64_t begin, int64_t end,
                               const LdaModel& model, ThreadPool& pool) {
  std::vector<std::atomic<int64_t>> sums(static_cast<std::size_t>(model.topics()));
  pool.parallel_for(end - begin, 16, [&](int64_t from, int64_t to) {
    for (int64_t d = begin + from; d < begin + to; ++d) {
      const std::vector<int64_t> counts = model.fold_in(documents[d]);
      for (std::size_t k = 0; k < counts.size(); ++k) sums[k] += counts[k];
    }
  });
  return {sums.begin(), sums.end()};
}

/// Share of each topic, with one token of each beforehand.
std::vector<double> shares(const std::vector<int64_t>& counts) {
  constexpr double kPrior = LdaModel::kFoldInSweeps / 2;  // a token counts in so many sweeps
  double total = 0;
  for (const int64_t count : counts) total += static_cast<double>(count) + kPrior;
  std::vector<double> share;
  for (const int64_t count : counts) share.push_back((static_cast<double>(count) + kPrior) / total);
  return share;
}

}  // namespace

LdaScore::LdaScore(std::span<const std::string_view> reference,
                   std::span<const std::string_view> background, const LdaOptions& options,
                   uint64_t seed, ThreadPool& pool, const std::function<void()>& poll) {
  const std::vector<std::string_view> all = joined(reference, background);
  vocabulary_ = Vocabulary(all, {});
  const TermDocuments documents = encoded(all, vocabulary_, pool);
  model_ = LdaModel::fit(documents, vocabulary_.size(), options, seed, pool, poll);
  const auto border = static_cast<int64_t>(reference.size());
  const std::vector<double> in = shares(topics_of(documents, 0, border, model_, pool));
  const std::vector<double> out =
      shares(topics_of(documents, border, documents.size(), model_, pool));
  for (std::size_t k = 0; k < in.size(); ++k) weights_.push_back(log_weight(in[k] / out[k]));
}

double LdaScore::score(std::string_view text) const {
  const std::vector<int64_t> counts = model_.fold_in(vocabulary_.encode(text));
  int64_t sum = 0, total = 0;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    sum += counts[k] * weights_[k];
    total += counts[k];
  }
  return mean_weight(sum, total);
}

}  // namespace cupel::curate
