// Moves rows against a network and measures what training on such rows wins, from the library. In
// the root of the repository: build/release/examples/augment FOLDER
#include <cupel/cupel.h>

#include <cstdio>
#include <exception>

using namespace cupel;

namespace {

/// The article's AdversarialAugmentation(epsilon=0.1) on two rows of a table of one's own.
void move_two_rows() {
  augment::Feature amount, night;
  amount.name = "amount";
  amount.mean = 50;
  amount.deviation = 40;
  amount.low = 0;
  amount.high = 500;
  night.name = "night";
  night.high = 1;
  night.immutable = true;

  const augment::AdversarialAugmentation how{.epsilon = 0.1, .method = augment::Method::fgsm};
  const augment::Mlp network(2, {8}, Rng(1, "weights"));
  const auto width = static_cast<std::size_t>(network.width());
  const augment::Perturber perturber({amount, night}, {.epsilon = how.epsilon}, network.width());
  std::vector<float> rows(2 * width), moved(2 * width);  // standardised, zero past the features
  rows[0] = 1.5F;                                        // an amount of 110
  rows[width] = -0.5F;                                   // of 30
  const uint8_t labels[] = {1, 0};
  Rng rng(1, "attack");
  augment::AttackSpace space;
  augment::attack(how, perturber, network, rows.data(), labels, 2, rng, space, moved.data());
  for (const std::size_t row : {std::size_t{0}, width}) {
    std::printf("amount %.0f moves to %.0f\n", 50 + 40 * static_cast<double>(rows[row]),
                50 + 40 * static_cast<double>(moved[row]));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: augment FOLDER\n");
    return 2;
  }
  try {
    move_two_rows();

    augment::Config config;
    config.simulate = augment::SimulateConfig{.training_days = 7, .customers = 2000};
    config.epsilon = 0.1;
    config.method = augment::Method::fgsm_rs;
    config.seeds = 2;

    RunOptions options;
    options.folder = argv[1];
    options.config = to_yaml(to_json(config));
    options.seed = 1;
    Run run(options);
    const augment::Report report = augment::run(config, run);
    run.finish("augment", to_json(report));
    std::printf("F1 under attack %.3f, trained on moved rows %.3f; model in %s/%s\n",
                report.baseline.robust_f1, report.augmented.robust_f1, argv[1],
                report.model.c_str());
    return report.gain.robust_f1_delta > 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
