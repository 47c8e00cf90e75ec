// Ways to move rows of a table against a network: noise, FGSM, FGSM-RS, PGD, TRADES.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "augment/mlp.h"
#include "augment/perturb.h"
#include "base/config.h"
#include "base/rng.h"

namespace cupel::augment {

/// noise: each value times 1 ± u, u uniform in [low, high], within the limits; knows no network.
/// fgsm (Goodfellow et al. 2015): x' = x + ε sign ∇L.
/// fgsm_rs (Wong, Rice and Kolter 2020): the same by 1.25 ε, from a uniform point of the box.
/// pgd (Madry et al. 2018): steps of 2.5 ε / steps from a uniform point, back into the box each.
/// trades (Zhang et al. 2019): pgd on KL(f(x) ‖ f(x')) in place of the loss; in training that term
/// is added to the loss of the row itself.
enum class Method { noise, fgsm, fgsm_rs, pgd, trades };
constexpr std::array<std::string_view, 5> names(Method) {
  return {"noise", "fgsm", "fgsm_rs", "pgd", "trades"};
}
static_assert(names(Method{}).size() == static_cast<std::size_t>(Method::trades) + 1);

struct Noise {
  double low = 0.005, high = 0.02;
  static constexpr auto fields() {
    return std::tuple{
        Field{"low", &Noise::low, "smallest share of its value a value is moved by", 0, 1},
        Field{"high", &Noise::high, "greatest", 0, 1}};
  }
  std::vector<std::string> problems() const;
};

/// How rows are moved: AdversarialAugmentation{.epsilon = 0.1}.
struct AdversarialAugmentation {
  double epsilon = 0.1;  // L∞, in standard deviations of a column
  Method method = Method::pgd;
  int64_t steps = 7;  // of pgd and trades
  Noise noise = {};
};

/// Buffers of one thread.
struct AttackSpace {
  Mlp::Pass pass;
  std::vector<float> low, high, grad_x, grad_logits, logits;
};

/// Moves each of `rows` rows of x (rows x width, standardised) so that the loss of its label grows:
/// `moved`, within the perturber's limits. A gradient that a sure network has rounded to zero would
/// hide the way, so the sign of the logit's gradient is taken from the label; signs of the input's
/// gradient stay as they are.
void attack(const AdversarialAugmentation& how, const Perturber& perturber, const Mlp& network,
            const float* x, const uint8_t* labels, int64_t rows, Rng& rng, AttackSpace& space,
            float* moved);

}  // namespace cupel::augment
