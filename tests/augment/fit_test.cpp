#include "augment/fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "augment/metrics.h"
#include "base/error.h"

namespace cupel::augment {
namespace {

/// Column 0 is decisive and wide; column 1 says nearly the same within a tenth of a deviation, so a
/// network that trusts it is easily deceived.
Rows rows(int64_t count, uint64_t seed) {
  Rows out;
  out.width = 16;
  out.x.resize(static_cast<std::size_t>(count * 16));
  Rng rng(seed, "rows");
  for (int64_t r = 0; r < count; ++r) {
    float* row = out.x.data() + r * 16;
    const bool positive = rng.uniform() < 0.3;
    row[0] = static_cast<float>(rng.normal() + (positive ? 1.5 : 0));
    row[1] = static_cast<float>(0.05 * rng.normal() + (positive ? 0.12 : -0.12));
    out.labels.push_back(positive);
  }
  return out;
}

Dataset dataset() {
  Dataset out;
  out.features.resize(2);
  for (Feature& feature : out.features) {
    feature.low = -10;
    feature.high = 10;
  }
  out.train = rows(2000, 1);
  out.validation = rows(1000, 2);
  out.test = rows(1000, 3);
  return out;
}

const FitConfig kSmall{.hidden = {16}, .epochs = 5, .batch_size = 50, .learning_rate = 1e-2};

struct Result {
  Fitted fitted;
  double clean, robust;
};

Result train(const std::optional<AdversarialAugmentation>& how, const Dataset& data) {
  const Perturber perturber(data.features, {.epsilon = 0.2}, 16);
  Fitted fitted = fit(kSmall, how, perturber, data, 7);
  ThreadPool pool(1);
  const Scores scores =
      evaluate(fitted.network, fitted.threshold, perturber, {.epsilon = 0.2}, data.test, 1, pool);
  return {std::move(fitted), scores.clean_f1, scores.robust_f1};
}

TEST(AugmentFit, EveryGradientMethodMakesTheNetworkResistWhatDeceivesAPlainOne) {
  const Dataset data = dataset();
  const Result plain = train(std::nullopt, data);
  EXPECT_GT(plain.clean, 0.95);
  EXPECT_TRUE(plain.fitted.probes.empty());
  for (const Method method : {Method::fgsm, Method::fgsm_rs, Method::pgd, Method::trades}) {
    const Result augmented = train(AdversarialAugmentation{.epsilon = 0.2, .method = method}, data);
    EXPECT_GT(augmented.robust, plain.robust + 0.1) << name_of(method);
    EXPECT_EQ(augmented.fitted.probes.size(), 5u);
  }
}

TEST(AugmentFit, NoiseOfTwoPercentDoesNot) {
  const Dataset data = dataset();
  const Result plain = train(std::nullopt, data);
  const Result noisy =
      train(AdversarialAugmentation{.epsilon = 0.2, .method = Method::noise}, data);
  EXPECT_LT(noisy.robust, plain.robust + 0.1);
}

TEST(AugmentFit, IsAFunctionOfItsSeed) {
  const Dataset data = dataset();
  const Perturber perturber(data.features, {.epsilon = 0.2}, 16);
  const AdversarialAugmentation how{.epsilon = 0.2, .method = Method::fgsm_rs};
  const auto weights = [&](uint64_t seed) {
    const Fitted fitted = fit(kSmall, how, perturber, data, seed);
    return std::vector<float>(fitted.network.parameters().begin(),
                              fitted.network.parameters().end());
  };
  EXPECT_EQ(weights(1), weights(1));
  EXPECT_NE(weights(1), weights(2));
}

TEST(AugmentFit, HasTheBitsOfItsRecordedRunOnEveryKernelRow) {
  const Dataset data = dataset();
  const Perturber perturber(data.features, {.epsilon = 0.2}, 16);
  FitConfig config = kSmall;
  config.hidden = {20, 8};
  const Fitted fitted = fit(config, AdversarialAugmentation{.epsilon = 0.2}, perturber, data, 1);
  const auto bytes = std::as_bytes(fitted.network.parameters());
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_EQ(hash64(text), 9974263512773402590u);
}

TEST(AugmentFit, EndsWherePollThrows) {
  const Dataset data = dataset();
  const Perturber perturber(data.features, {.epsilon = 0.2}, 16);
  int batches = 0;
  const auto poll = [&] {
    if (++batches == 3) throw Interrupted();
  };
  EXPECT_THROW(fit(kSmall, std::nullopt, perturber, data, 1, poll), Interrupted);
  EXPECT_EQ(batches, 3);
}

TEST(AugmentFit, ACollapseIsPgdLostWhileFgsmStays) {
  EXPECT_TRUE(has_collapsed({{0.8, 0.7}, {0.9, 0.3}}));
  EXPECT_FALSE(has_collapsed({{0.8, 0.7}, {0.4, 0.3}}));  // both lost: it has unlearned
  EXPECT_FALSE(has_collapsed({{0.9, 0.3}, {0.9, 0.3}}));  // never had it
  EXPECT_FALSE(has_collapsed({}));
}

}  // namespace
}  // namespace cupel::augment
