#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/claims/protocols.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::pipeline::claims {
namespace {

struct AugmentationBench {
  TemporaryFolder folder;
  Claim claim;
  Heavy heavy;
  std::optional<cupel::Run> run;

  explicit AugmentationBench(const std::string& settings) {
    claim.folder = folder.path().string();
    claim.settings = yaml::parse(settings, "1.1.yaml");
    RunOptions options;
    options.folder = folder / "run";
    options.threads = 1;
    run.emplace(options);
  }
  ClaimValues measure() {
    return augmentation({claim, 3, folder / "run/claims/1.1/3", heavy, *run});
  }
};

const std::string kSmall =
    "{simulate: {training_days: 3, validation_days: 2, test_days: 2, customers: 500, "
    "terminals: 500, radius: 10}, method: fgsm, seeds: 1, model: {hidden: [16], epochs: 2}}";

TEST(Augmentation, MeasuresGainNoiseAndBothControls) {
  AugmentationBench bench("{augment: " + kSmall + ", control: " + kSmall + "}");
  const ClaimValues values = bench.measure();
  ASSERT_EQ(values.size(), 5u);
  const double baseline = values.at("robust_f1_relative").baseline.value();
  EXPECT_GT(baseline, 0);
  for (const char* control : {"shuffled_robust_f1_delta", "all_shuffled_robust_f1_delta"})
    EXPECT_LT(values.at(control).baseline.value(), baseline) << control;
}

TEST(Augmentation, GoesOnWhereItWasInterrupted) {
  AugmentationBench bench("{augment: " + kSmall + "}");
  const ClaimValues first = bench.measure(), second = bench.measure();
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(first.at("robust_f1_relative").value, second.at("robust_f1_relative").value);
}

TEST(Augmentation, NamesADataSetThatIsNotThere) {
  AugmentationBench bench("{data_set: none_such, file: t.csv, augment: {label: y}}");
  EXPECT_THAT([&] { bench.measure(); },
              throws_error(ErrorKind::config, "there is no data set \"none_such\""));
}

}  // namespace
}  // namespace cupel::pipeline::claims
