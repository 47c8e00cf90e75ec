// Level 3 of `curate`: does a text belong to a domain? A calibrated probability.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/calibration.h"
#include "base/config.h"
#include "base/parallel.h"

namespace cupel::curate {

/// lda: topics of a latent Dirichlet allocation. ngram: hashed words and pairs of words.
enum class TopicScore { lda, ngram };
constexpr std::array<std::string_view, 2> names(TopicScore) { return {"lda", "ngram"}; }

struct TopicConfig {
  Path reference, background;
  TopicScore score = TopicScore::lda;
  double fit = 0.7;
  std::optional<double> balance = {};
  int64_t topics = 100;
  int64_t sweeps = 100;
  int64_t folds = 5;

  static constexpr auto fields() {
    using C = TopicConfig;
    return std::tuple{
        Field{"reference", &C::reference, "file of documents of the domain"},
        Field{"background", &C::background, "file of documents of anything else"},
        Field{"score", &C::score, "what the probability is read from"},
        Field{"fit", &C::fit, "keep a text whose probability of belonging is above this", 0, 1},
        Field{"balance", &C::balance,
              "share of the input that belongs, before it is read; default: estimated from it",
              1e-6, 1 - 1e-6},
        Field{"topics", &C::topics, "topics of reference and background together (lda)", 2, 4096},
        Field{"sweeps", &C::sweeps, "passes of Gibbs sampling over the documents (lda)", 1, 1e5},
        Field{"folds", &C::folds, "parts, each scored by a fit on the others to calibrate", 2,
              100}};
  }
};

/// How well the score tells the two sets apart on documents it has not seen (held-out folds).
struct TopicReport {
  std::string score, definition;
  double fit = 0, balance = 0;
  std::string balance_from;
  int64_t reference_documents = 0, background_documents = 0;
  double auc = 0, calibration_error = 0, reference_lost = 0, background_kept = 0;
  std::optional<std::string> warning;
  static constexpr auto fields() {
    using C = TopicReport;
    return std::tuple{
        Field{"score", &C::score, "what the probability is read from"},
        Field{"definition", &C::definition, "of that score"},
        Field{"fit", &C::fit, "probability above which a row stays"},
        Field{"balance", &C::balance, "share of the rows that belong, before they are read"},
        Field{"balance_from", &C::balance_from, "settings, or estimated from the input"},
        Field{"reference_documents", &C::reference_documents, "documents of the domain"},
        Field{"background_documents", &C::background_documents, "documents of anything else"},
        Field{"auc", &C::auc, "chance that a reference document scores above a background one"},
        Field{"calibration_error", &C::calibration_error,
              "mean distance between probability and truth"},
        Field{"reference_lost", &C::reference_lost,
              "share of the reference that is at or below fit at this balance"},
        Field{"background_kept", &C::background_kept,
              "share of the background that is above fit at this balance"},
        Field{"warning", &C::warning, "why the estimate may mislead; null where it found both"}};
  }
};

/// probability() is that a text comes from the domain of `reference` rather than of `background`,
/// given its score, where a share balance() of the texts does. The calibration is read from scores
/// of documents that their fit had not seen: each fold is scored by a fit on the others (cross
/// fitting). What is asked is then scored by a fit on all of them.
class TopicModel {
 public:
  /// The same for any number of threads and on every kernel row. `poll` is called now and then and
  /// may throw to end it. Throws Error{data} for fewer than two documents a fold in either set.
  static TopicModel fit(std::span<const std::string> reference,
                        std::span<const std::string> background, const TopicConfig& config,
                        uint64_t seed, ThreadPool& pool, const std::function<void()>& poll = {});

  /// Nats; above 0 the text looks more like the reference. Safe on several threads.
  double score(std::string_view text) const { return score_(text); }
  double probability_of_score(double score) const {
    return calibration_.probability(score, balance_.share);
  }
  double probability(std::string_view text) const { return probability_of_score(score(text)); }

  /// Given by the settings; 0.5 where they leave it open, until estimate_balance() is called.
  double balance() const { return balance_.share; }
  /// From the scores of all texts to be filtered; does nothing where the settings say it.
  void estimate_balance(std::span<const double> scores);
  /// Of scores that need not be in memory, told as Calibration has it.
  void estimate_balance_in_parts(const std::function<void(const Calibration::Take&)>& scan);

  TopicReport report() const;

 private:
  explicit TopicModel(Calibration calibration) : calibration_(std::move(calibration)) {}

  TopicConfig config_;
  Calibration calibration_;
  Balance balance_;
  std::function<double(std::string_view)> score_;
  std::vector<double> reference_, background_;  // held-out scores
};

}  // namespace cupel::curate
