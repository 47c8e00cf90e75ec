#include "augment/augment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "base/config_doc.h"
#include "base/error.h"
#include "support/files.h"

namespace cupel::augment {
namespace {

Config small() {
  Config config;
  config.simulate = {.training_days = 4,
                     .validation_days = 3,
                     .test_days = 3,
                     .customers = 600,
                     .terminals = 600,
                     .radius = 8};
  config.method = Method::fgsm_rs;
  config.model.hidden = {16};
  config.model.epochs = 2;
  config.seeds = 2;
  return config;
}

struct Ran {
  Report report;
  std::string rows, model;
};

Ran run_in(const TemporaryFolder& folder, const std::string& name, int threads) {
  RunOptions options;
  options.folder = folder / name;
  options.seed = 3;
  options.threads = threads;
  cupel::Run inside(options);
  Ran out;
  out.report = run(small(), inside);
  out.rows = read_file(folder / (name + "/augmented.csv"));
  out.model = read_file(folder / (name + "/model/model.safetensors"));
  return out;
}

TEST(Augment, GivesTheSameBytesForAnyNumberOfThreads) {
  const TemporaryFolder folder;
  const Ran one = run_in(folder, "one", 1), three = run_in(folder, "three", 3);
  EXPECT_EQ(json::dump(to_json(one.report)), json::dump(to_json(three.report)));
  EXPECT_TRUE(one.rows == three.rows);
  EXPECT_TRUE(one.model == three.model);
}

TEST(Augment, ReportsFiguresThatBelongTogether) {
  cupel::Run inside{RunOptions{.seed = 3}};
  const Report report = run(small(), inside);
  EXPECT_GT(report.positives.test, 0);
  EXPECT_GT(report.rows.train, report.rows.test);
  const Gain& gain = report.gain;
  EXPECT_NEAR(gain.robust_f1_delta, report.augmented.robust_f1 - report.baseline.robust_f1, 1e-12);
  EXPECT_NEAR(gain.robust_f1_relative, gain.robust_f1_delta / report.baseline.robust_f1, 1e-12);
  EXPECT_LE(gain.robust_f1_relative_interval[0], gain.robust_f1_relative);
  EXPECT_GE(gain.robust_f1_relative_interval[1], gain.robust_f1_relative);
  EXPECT_LE(report.baseline.robust_f1, report.baseline.clean_f1);
  EXPECT_TRUE(report.model.empty());  // without a folder nothing is written
}

TEST(Augment, TakesTheMethodNoiseForItsOwnRow) {
  cupel::Run inside{RunOptions{.seed = 3}};
  Config config = small();
  config.method = Method::noise;
  config.seeds = 1;
  const Report report = run(config, inside);
  EXPECT_EQ(report.noise.robust_f1, report.augmented.robust_f1);
  EXPECT_EQ(report.noise_gain.clean_f1_delta, report.gain.clean_f1_delta);
}

TEST(Augment, LeavesTheRowsOutIfToldTo) {
  const TemporaryFolder folder;
  RunOptions options;
  options.folder = folder / "run";
  cupel::Run inside(options);
  Config config = small();
  config.seeds = 1;
  config.write_rows = false;
  const Report report = run(config, inside);
  EXPECT_TRUE(report.augmented_rows.empty());
  EXPECT_FALSE(std::filesystem::exists(folder / "run/augmented.csv"));
  EXPECT_TRUE(std::filesystem::exists(folder / "run/model/config.json"));
}

/// Two classes that overlap, within reach of a move of one deviation: FGSM learns to hide its
/// gradient from one step (Wong, Rice and Kolter 2020), PGD-7 does not.
TEST(Augment, WarnsOfCatastrophicOverfittingWhereFgsmCausesIt) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  std::string text = "a,b,c,d,e,f,g,h,label\n";
  Rng rng(1, "rows");
  for (int row = 0; row < 800; ++row) {
    const bool positive = rng.uniform() < 0.4;
    for (int i = 0; i < 8; ++i)
      text += std::to_string(rng.normal() + (positive ? 0.6 : -0.6)) + ",";
    text += positive ? "1\n" : "0\n";
  }
  Config config;
  config.input.text = folder.write("t.csv", text).string();
  config.label = "label";
  config.epsilon = 1;
  config.model = {.hidden = {16, 16}, .epochs = 15, .batch_size = 50, .learning_rate = 1e-2};
  config.seeds = 2;
  for (const Method method : {Method::fgsm, Method::pgd}) {
    config.method = method;
    cupel::Run inside{RunOptions{.seed = 1}};
    int warnings = 0;
    inside.subscribe([&](const Event& event) {
      warnings += event.kind == Event::Kind::log && event.level == LogLevel::warning &&
                  event.text.find("catastrophic overfitting") != std::string_view::npos;
    });
    const int64_t want = method == Method::fgsm ? 2 : 0;
    EXPECT_EQ(run(config, inside).collapsed, want) << name_of(method);
    EXPECT_EQ(warnings, want) << name_of(method);
  }
}

TEST(Augment, EndsWhenAskedToStop) {
  const std::atomic<bool> stop = true;
  RunOptions options;
  options.stop = &stop;
  cupel::Run inside(options);
  EXPECT_THROW(run(small(), inside), Interrupted);
}

TEST(Augment, SettingsThatContradictEachOtherAreProblems) {
  EXPECT_EQ(Config{}.problems().size(), 1u);
  Config config = small();
  EXPECT_TRUE(config.problems().empty());
  config.label = "fraud";
  EXPECT_EQ(config.problems().size(), 1u);
  config.input.text = "t.csv";
  EXPECT_EQ(config.problems().size(), 2u);
  EXPECT_EQ((SplitConfig{.time = "day"}.problems().size()), 1u);
  EXPECT_EQ((SplitConfig{.validation = 0.5, .test = 0.5}.problems().size()), 1u);
  EXPECT_TRUE(SplitConfig{}.problems().empty());
}

}  // namespace
}  // namespace cupel::augment
