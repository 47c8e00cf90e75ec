#include "augment/fit.h"

#include <algorithm>
#include <numeric>

#include "augment/metrics.h"

namespace cupel::augment {
namespace {

constexpr int64_t kProbeRows = 512;  // of each class
constexpr int64_t kProbeSteps = 10;
constexpr double kCollapse = 0.2;

/// The first rows of each class.
Rows probe_rows(const Rows& from) {
  Rows out;
  out.width = from.width;
  int64_t left[2] = {kProbeRows, std::min(kProbeRows, from.count_positives())};
  left[0] = left[1];
  for (int64_t i = 0; i < from.size(); ++i) {
    const uint8_t label = from.labels[static_cast<std::size_t>(i)];
    if (left[label] == 0) continue;
    --left[label];
    out.x.insert(out.x.end(), from.row(i), from.row(i) + from.width);
    out.labels.push_back(label);
  }
  return out;
}

/// Training of one network: what changes from batch to batch.
class Fit {
 public:
  Fit(const FitConfig& config, const std::optional<AdversarialAugmentation>& how,
      const Perturber& perturber, const Dataset& data, uint64_t seed)
      : config_(config),
        how_(how),
        perturber_(perturber),
        data_(data),
        seed_(seed),
        network_(static_cast<int64_t>(data.features.size()), config.hidden,
                 Rng(seed, "augment weights")),
        order_(static_cast<std::size_t>(data.train.size())),
        x_(static_cast<std::size_t>(config.batch_size * data.train.width)),
        moved_(x_.size()),
        labels_(static_cast<std::size_t>(config.batch_size)),
        grad_(labels_.size()),
        grad_moved_(labels_.size()) {
    std::iota(order_.begin(), order_.end(), 0);
  }

  void epoch(int64_t number, const std::function<void()>& poll) {
    Rng order(seed_, "augment order", static_cast<uint64_t>(number));
    order.shuffle(order_);
    for (int64_t begin = 0; begin < data_.train.size(); begin += config_.batch_size) {
      if (poll) poll();
      step(number, begin, std::min(config_.batch_size, data_.train.size() - begin));
    }
  }

  Probe probe(const Rows& rows) {
    const auto accuracy = [&](Method method) {
      AdversarialAugmentation how = *how_;
      how.method = method;
      how.steps = kProbeSteps;
      ThreadPool alone(1);
      const auto scores = score_attacked(how, perturber_, network_, rows, Moves::all, seed_, alone);
      int64_t right = 0;
      for (std::size_t i = 0; i < scores.size(); ++i) right += (scores[i] > 0) == rows.labels[i];
      return static_cast<double>(right) / static_cast<double>(std::max<int64_t>(rows.size(), 1));
    };
    return {accuracy(Method::fgsm), accuracy(Method::pgd)};
  }

  Mlp& network() { return network_; }

 private:
  void gather(int64_t begin, int64_t rows) {
    const int64_t width = data_.train.width;
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t from = order_[static_cast<std::size_t>(begin + r)];
      std::copy_n(data_.train.row(from), width, x_.begin() + r * width);
      labels_[static_cast<std::size_t>(r)] = data_.train.labels[static_cast<std::size_t>(from)];
    }
  }

  /// Gradient by logit of the mean cross-entropy of the rows last passed forward.
  void cross_entropy(int64_t rows) {
    for (int64_t r = 0; r < rows; ++r) {
      const auto at = static_cast<std::size_t>(r);
      grad_[at] = (sigmoid(space_.pass.logits[at]) - static_cast<float>(labels_[at])) /
                  static_cast<float>(rows);
    }
  }

  void step(int64_t epoch, int64_t begin, int64_t rows) {
    gather(begin, rows);
    const float* x = x_.data();
    if (how_) {
      Rng rng(seed_, "augment attack", static_cast<uint64_t>(epoch << 40 | begin));
      attack(*how_, perturber_, network_, x, labels_.data(), rows, rng, space_, moved_.data());
      if (how_->method != Method::trades) x = moved_.data();
    }
    network_.forward(x, rows, space_.pass);
    cross_entropy(rows);
    if (how_ && how_->method == Method::trades) {
      add_divergence(rows);
    } else {
      network_.backward(x, grad_.data(), rows, space_.pass);
    }
    network_.adamw_step(space_.pass.parameter_grads, static_cast<float>(config_.learning_rate),
                        static_cast<float>(config_.weight_decay));
  }

  /// KL(p ‖ q) of p = σ(z), q = σ(z'): d/dz = p (1 - p) (z - z'), d/dz' = q - p.
  void add_divergence(int64_t rows) {
    clean_logits_.assign(space_.pass.logits.begin(), space_.pass.logits.begin() + rows);
    network_.forward(moved_.data(), rows, space_.pass);
    for (int64_t r = 0; r < rows; ++r) {
      const auto at = static_cast<std::size_t>(r);
      const float z = clean_logits_[at], moved = space_.pass.logits[at];
      const float p = sigmoid(z), q = sigmoid(moved);
      grad_[at] += p * (1 - p) * (z - moved) / static_cast<float>(rows);
      grad_moved_[at] = (q - p) / static_cast<float>(rows);
    }
    network_.backward(moved_.data(), grad_moved_.data(), rows, space_.pass);
    network_.forward(x_.data(), rows, space_.pass);
    network_.backward(x_.data(), grad_.data(), rows, space_.pass, true);
  }

  const FitConfig& config_;
  const std::optional<AdversarialAugmentation>& how_;
  const Perturber& perturber_;
  const Dataset& data_;
  uint64_t seed_;
  Mlp network_;
  std::vector<int64_t> order_;
  std::vector<float> x_, moved_;  // rows of the batch, and where they are moved to
  std::vector<uint8_t> labels_;
  std::vector<float> grad_, grad_moved_, clean_logits_;
  AttackSpace space_;
};

}  // namespace

bool has_collapsed(const std::vector<Probe>& epochs) {
  double best = 0;
  for (const Probe& probe : epochs) {
    best = std::max(best, probe.pgd);
    if (probe.pgd < best - kCollapse && probe.fgsm > probe.pgd + kCollapse) return true;
  }
  return false;
}

Fitted fit(const FitConfig& config, const std::optional<AdversarialAugmentation>& how,
           const Perturber& perturber, const Dataset& data, uint64_t seed,
           const std::function<void()>& poll) {
  Fit training(config, how, perturber, data, seed);
  const Rows watched = how ? probe_rows(data.validation) : Rows{};
  std::vector<Probe> probes;
  for (int64_t i = 0; i < config.epochs; ++i) {
    training.epoch(i, poll);
    if (how) probes.push_back(training.probe(watched));
  }
  ThreadPool alone(1);
  const auto scores = score(training.network(), data.validation, alone);
  const float threshold = best_threshold(scores, data.validation.labels);
  return {std::move(training.network()), threshold, std::move(probes)};
}

}  // namespace cupel::augment
