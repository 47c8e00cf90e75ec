#include "curate/topic.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/rng.h"
#include "curate/lda_score.h"
#include "curate/ngram_score.h"
#include "data/unicode.h"

namespace cupel::curate {
namespace {

using Texts = std::vector<std::string_view>;
using TextScore = std::function<double(std::string_view)>;
using FitScore = std::function<TextScore(const Texts& reference, const Texts& background)>;

FitScore fit_by(const TopicConfig& config, uint64_t seed, ThreadPool& pool,
                const std::function<void()>& poll) {
  if (config.score == TopicScore::ngram) {
    return [](const Texts& reference, const Texts& background) -> TextScore {
      const auto score = std::make_shared<const NgramScore>(reference, background);
      return [score](std::string_view text) { return score->score(text); };
    };
  }
  const LdaOptions options = {.topics = static_cast<int>(config.topics),
                              .sweeps = static_cast<int>(config.sweeps)};
  return [=, &pool](const Texts& reference, const Texts& background) -> TextScore {
    const auto score =
        std::make_shared<const LdaScore>(reference, background, options, seed, pool, poll);
    return [score](std::string_view text) { return score->score(text); };
  };
}

/// Documents with their folds: by the hash of the normal form, so that copies of a text are never
/// both learned from and scored.
struct Folds {
  std::span<const std::string> texts;
  std::vector<uint64_t> folds;

  Folds(std::span<const std::string> all, int64_t count) : texts(all) {
    for (const std::string& text : all)
      folds.push_back(hash64(normal_form(text)) % static_cast<uint64_t>(count));
  }
  /// Those inside of the fold, or those outside.
  Texts choose(uint64_t fold, bool inside) const {
    Texts chosen;
    for (std::size_t i = 0; i < texts.size(); ++i)
      if ((folds[i] == fold) == inside) chosen.push_back(texts[i]);
    return chosen;
  }
};

std::vector<double> scores_of(const Texts& texts, const TextScore& score, ThreadPool& pool) {
  std::vector<double> scores(texts.size());
  pool.parallel_for(static_cast<int64_t>(texts.size()), 16, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
      scores[i] = score(texts[i]);
  });
  return scores;
}

void append(std::vector<double>& all, const std::vector<double>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

void check_documents(const Path& path, std::size_t documents, const TopicConfig& config) {
  const int64_t least = 2 * config.folds;
  if (static_cast<int64_t>(documents) >= least) return;
  fail(ErrorKind::data, path.text,
       "has " + std::to_string(documents) + " documents, where " + std::to_string(config.folds) +
           " folds need " + std::to_string(least),
       "give more documents or lower folds");
}

/// Of probabilities, by whether they are above the fit asked for.
double share_above(const std::vector<double>& probabilities, double fit) {
  const auto above = std::count_if(probabilities.begin(), probabilities.end(),
                                   [&](double probability) { return probability > fit; });
  return static_cast<double>(above) / static_cast<double>(probabilities.size());
}

constexpr std::string_view definition(TopicScore score) {
  return score == TopicScore::lda
             ? "mean over a text's tokens of ln p(topic | reference) - ln p(topic | background), "
               "topics by folding into a latent Dirichlet allocation; isotonic calibration on "
               "held-out folds"
             : "mean over a text's words and pairs of words of ln p(n-gram | reference) - ln "
               "p(n-gram | background); isotonic calibration on held-out folds";
}

/// What a reader must know of a balance that says that the input is of one kind. `kept`: share of
/// the background above fit, `lost`: of the reference below it.
std::optional<std::string> warning(const Balance& balance, double kept, double lost) {
  const std::string rows = std::to_string(balance.examples) + " rows";
  const auto percent = [](double share) { return std::to_string(std::lround(100 * share)) + " %"; };
  switch (balance.mixture) {
    case Mixture::both:
      return std::nullopt;
    case Mixture::positives_alone:
      return "the estimate finds no background among the " + rows +
             ": balance is the most that so many can show, and a row goes only if its own score "
             "outweighs that, as the scores of " +
             percent(1 - kept) +
             " of the background documents do. If more rows are of another domain, set "
             "topic.balance to the share that belongs, as in balance: 0.9";
    case Mixture::negatives_alone:
      return "the estimate finds nothing of the domain among the " + rows +
             ": balance is the least that so many can show, and a row stays only if its own score "
             "outweighs that, as the scores of " +
             percent(1 - lost) +
             " of the reference documents do. If more rows are of the domain, set topic.balance to "
             "the share that belongs, as in balance: 0.1";
  }
  CUPEL_ASSERT(false);
}

}  // namespace

TopicModel TopicModel::fit(std::span<const std::string> reference,
                           std::span<const std::string> background, const TopicConfig& config,
                           uint64_t seed, ThreadPool& pool, const std::function<void()>& poll) {
  check_documents(config.reference, reference.size(), config);
  check_documents(config.background, background.size(), config);
  const FitScore fit_score = fit_by(config, seed, pool, poll);
  const Folds in(reference, config.folds), out(background, config.folds);
  std::vector<double> positive, negative;
  for (uint64_t fold = 0; fold < static_cast<uint64_t>(config.folds); ++fold) {
    if (poll) poll();
    const TextScore score = fit_score(in.choose(fold, false), out.choose(fold, false));
    append(positive, scores_of(in.choose(fold, true), score, pool));
    append(negative, scores_of(out.choose(fold, true), score, pool));
  }
  TopicModel model(Calibration(positive, negative));
  model.config_ = config;
  model.balance_.share = config.balance.value_or(0.5);
  model.score_ =
      fit_score({reference.begin(), reference.end()}, {background.begin(), background.end()});
  model.reference_ = std::move(positive);
  model.background_ = std::move(negative);
  return model;
}

void TopicModel::estimate_balance(std::span<const double> scores) {
  if (!config_.balance) balance_ = calibration_.estimate_balance(scores);
}

void TopicModel::estimate_balance_in_parts(
    const std::function<void(const Calibration::Take&)>& scan) {
  if (!config_.balance) balance_ = calibration_.estimate_balance_in_parts(scan);
}

TopicReport TopicModel::report() const {
  const auto probabilities = [&](const std::vector<double>& scores, double balance) {
    std::vector<double> out;
    for (const double score : scores) out.push_back(calibration_.probability(score, balance));
    return out;
  };
  TopicReport report;
  report.score = name_of(config_.score);
  report.definition = definition(config_.score);
  report.fit = config_.fit;
  report.balance = balance_.share;
  report.balance_from = config_.balance ? "settings" : "input";
  report.reference_documents = static_cast<int64_t>(reference_.size());
  report.background_documents = static_cast<int64_t>(background_.size());
  report.auc = area_under_curve(reference_, background_);
  report.calibration_error =
      calibration_error(probabilities(reference_, 0.5), probabilities(background_, 0.5));
  report.reference_lost = 1 - share_above(probabilities(reference_, balance_.share), config_.fit);
  report.background_kept = share_above(probabilities(background_, balance_.share), config_.fit);
  report.warning = warning(balance_, report.background_kept, report.reference_lost);
  return report;
}

}  // namespace cupel::curate
