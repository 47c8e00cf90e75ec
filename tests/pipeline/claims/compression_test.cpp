#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "pipeline/claims/protocols.h"
#include "support/files.h"
#include "support/random_classifier.h"

namespace cupel::pipeline::claims {
namespace {

using testing::HasSubstr;

/// A claim over 40 texts whose training leaves a classifier with random weights.
struct CompressionBench {
  TemporaryFolder folder;
  Claim claim;
  Heavy heavy;
  cupel::Run run{{.folder = folder / "run", .threads = 1}};

  explicit CompressionBench(const std::string& settings) {
    std::string rows;
    for (int i = 0; i < 40; ++i)
      rows += json::dump(json::Object{
                  {"text", "the cat " + std::string(static_cast<std::size_t>(i % 9 + 1), 'a')},
                  {"label", i % 2 == 0 ? "praise" : "question"}}) +
              "\n";
    folder.write("rows.jsonl", rows);
    claim.id = "2.2";
    claim.folder = folder.path().string();
    claim.settings = yaml::parse(
        "train: {task: classify, base_model: ., val_set_size: 0, "
        "datasets: [{path: rows.jsonl}]}\n"
        "prune: {prune_ratio: 0.5}\nrecover: {steps: 2}\n" +
            settings,
        "claim.yaml");
    heavy.train = [](const TrainStage& config, cupel::Run& own) {
      EXPECT_EQ(config.task, train::Task::classify);
      own.write_folder("model",
                       [](const std::filesystem::path& to) { write_random_classifier(to); });
      TrainReport report;
      report.model = "model";
      return report;
    };
    heavy.compress.recover = [](nn::ClassifierModel&, const compress::RecoverTask&, cupel::Run&) {
      return 0.5;
    };
    heavy.compress.eager_classifier = [](const std::filesystem::path&, int) {
      return [](const std::vector<int32_t>&) { return std::vector<float>(4); };
    };
  }

  ClaimValues measure(uint64_t seed = 1) {
    const std::filesystem::path own = folder / ("claim" + std::to_string(seed));
    return compression({claim, seed, own, heavy, run});
  }
};

TEST(CompressionClaim, MeasuresTheChainOnAFoldThatWasNotLearned) {
  CompressionBench bench("folds: 3\n");
  const ClaimValues values = bench.measure();
  EXPECT_EQ(values.at("pruned_share").value, 0.5);
  EXPECT_GT(values.at("latency_ratio").value, 0);
  EXPECT_GT(values.at("bytes_ratio").value, 3);
  EXPECT_TRUE(values.contains("accuracy_drop_points_pruned"));
  const std::string learned = read_file(bench.folder / "claim1/data/train.jsonl");
  const std::string measured = read_file(bench.folder / "claim1/data/test.jsonl");
  EXPECT_EQ(std::ranges::count(learned, '\n') + std::ranges::count(measured, '\n'), 40);
  for (int i = 1; i <= 9; ++i) {
    const std::string text = "\"the cat " + std::string(static_cast<std::size_t>(i), 'a') + "\"";
    EXPECT_NE(learned.find(text) == std::string::npos, measured.find(text) == std::string::npos)
        << "equal texts stay on one side";
  }
}

TEST(CompressionClaim, TakesTheFirstClassesAloneIfAsked) {
  CompressionBench bench("folds: 2\nclasses: 1\n");
  bench.measure();
  EXPECT_THAT(read_file(bench.folder / "claim1/data/train.jsonl"),
              testing::Not(HasSubstr("question")));
}

}  // namespace
}  // namespace cupel::pipeline::claims
