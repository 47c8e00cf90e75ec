#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/atomic_file.h"
#include "data/arithmetic.h"
#include "data/tokenizer/tokenizer.h"
#include "pipeline/claims/protocols.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::pipeline::claims {
namespace {

using testing::ElementsAre;

/// What the fake training was asked for.
std::vector<TrainStage> trained;

std::string plays() {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += i % 3 == 0 ? "the cat sat\n" : "a dog ran on\n";
  return text;
}

/// "Trains": a tokenizer, and in a file whether anything was learned.
TrainReport fake_train(const TrainStage& config, cupel::Run& run) {
  trained.push_back(config);
  run.write_folder("model", [&](const std::filesystem::path& staging) {
    Tokenizer::train({{"", plays(), 1}}, {.vocab_size = 270, .pattern = {}, .bos_token = {}})
        .save(staging);
    write_file_atomically(staging / "learned", config.learning_rate > 0 ? "yes" : "no");
  });
  TrainReport report;
  report.model = "model";
  return report;
}

/// Half a bit a byte and every second problem, once it has learned.
LanguageModel fake_model(const Path& folder, cupel::Run&) {
  const bool learned = read_file(folder.text + "/learned") == "yes";
  LanguageModel model;
  model.likelihood = [learned](std::string_view, std::string_view target) {
    const auto bytes = static_cast<double>(target.size());
    return Likelihood{-(learned ? 0.05 : 8.0) * std::log(2.0) * bytes, 1};
  };
  model.generate = [learned, asked = 0](std::string_view prompt, const GenerateOptions&,
                                        const auto&) mutable -> std::string {
    Rng rng(3, "arithmetic test problems");
    ProblemOptions options;
    options.split = ProblemSplit::test;
    for (const Problem& problem : generate_problems(rng, 20, options)) {
      if (problem.prompt == prompt && learned && ++asked % 2 == 0) return problem.completion;
    }
    return "?";
  };
  return model;
}

struct LearningBench {
  TemporaryFolder folder{TemporaryFolder::Place::memory};
  Claim claim;
  Heavy heavy;
  std::optional<cupel::Run> run;

  LearningBench() {
    trained.clear();
    heavy.train = &fake_train;
    heavy.load_model = &fake_model;
    folder.write("text.txt", plays());
    folder.write("recipe.yaml",
                 "training:\n  model: {family: deepseek_v3}\n  max_steps: 100\n  datasets:\n"
                 "    - {path: text.txt}\n    - {type: arithmetic, rows: 10}\n");
    claim.folder = folder.path().string();
    claim.settings = yaml::parse(
        "{recipe: recipe.yaml, overrides: [--train.max_steps=5], "
        "ngram_order: 3, problems: 20, problems_before: 20}",
        "one.yaml");
    RunOptions options;
    options.folder = folder / "run";
    options.threads = 1;
    run.emplace(options);
  }
  ClaimValues measure() { return learning({claim, 3, folder / "run/claims/one/3", heavy, *run}); }
};

TEST(Learning, HoldsTheModelAgainstTheBaselineAndAgainstItself) {
  LearningBench bench;
  const ClaimValues values = bench.measure();
  const Measured& margin = values.at("bits_per_byte_margin");
  EXPECT_NEAR(values.at("bits_per_byte").value, 0.05, 1e-9);
  EXPECT_NEAR(margin.value, margin.baseline.value() - 0.05, 1e-9);
  EXPECT_GT(margin.baseline.value(), 0.02);
  const Measured& gain = values.at("exact_match_gain");
  EXPECT_EQ(gain.value, 0.5);
  EXPECT_EQ(gain.baseline, 0);
  // Newcombe: 0.5 -/+ hypot of the Wilson distances of 10/20 (0.2007) and 0/20 (0 and 0.1611).
  EXPECT_NEAR(gain.interval->low, 0.5 - std::hypot(0.2007, 0.1611), 1e-3);
  EXPECT_NEAR(gain.interval->high, 0.5 + 0.2007, 1e-3);
}

TEST(Learning, TrainsOnWhatIsNotHeldOutAndComparesWithAnUntrainedModel) {
  LearningBench bench;
  bench.measure();
  ASSERT_EQ(trained.size(), 2u);
  EXPECT_EQ(trained[0].max_steps, 5);
  EXPECT_EQ(trained[0].val_set_size, 0.1);
  EXPECT_EQ(trained[0].datasets[0].path.text, (bench.folder / "text.txt").string());
  EXPECT_EQ(trained[1].learning_rate, 0);
  EXPECT_EQ(trained[1].max_steps, 1);
  EXPECT_EQ(trained[1].tokenizer.path.text,
            (bench.folder / "run/claims/one/3/train/model").string());
}

TEST(Learning, GoesOnWhereItWasInterrupted) {
  LearningBench bench;
  const ClaimValues first = bench.measure();
  trained.clear();
  const ClaimValues second = bench.measure();
  EXPECT_TRUE(trained.empty());
  EXPECT_EQ(first.at("exact_match_gain").value, second.at("exact_match_gain").value);
}

TEST(Learning, ReadsTheArticlesBlockBesideTheRestOfItsSection) {
  LearningBench bench;
  bench.folder.write("recipe.yaml",
                     "train:\n  model: {family: deepseek_v3}\n  max_steps: 100\n  datasets:\n"
                     "    - {path: text.txt}\n    - {type: arithmetic, rows: 10}\n"
                     "training: {precision: fp16, loss_scale: {initial: 1024}}\n");
  bench.measure();
  EXPECT_EQ(trained.at(0).max_steps, 5);
  EXPECT_EQ(trained.at(0).precision, nn::Precision::fp16);
  EXPECT_EQ(trained.at(0).loss_scale->initial, 1024);
}

TEST(Learning, ARecipeWithoutTrainingIsNamed) {
  LearningBench bench;
  bench.folder.write("recipe.yaml", "claims: {}\n");
  bench.claim.settings = yaml::parse("{recipe: recipe.yaml}", "one.yaml");
  EXPECT_THAT([&] { bench.measure(); },
              throws_error(ErrorKind::config, "recipe.yaml: has no section \"train\""));
}

}  // namespace
}  // namespace cupel::pipeline::claims
