#include "compress/classifier_steps.h"

#include <gtest/gtest.h>

#include <cmath>

#include "compress/rows.h"
#include "compress/small_task.h"
#include "nn/classifier.h"

namespace cupel::compress {
namespace {

std::vector<nn::ClassifiedRow> step_rows(const SmallTask& task) {
  cupel::Run run({});
  return read_rows(task.data(), Tokenizer::load(task.model()),
                   nn::read_classifier_config(task.model()), run);
}

std::vector<float> logits_in(const std::filesystem::path& folder,
                             const std::vector<nn::ClassifiedRow>& rows) {
  ThreadPool pool(1);
  std::vector<const std::vector<int32_t>*> texts;
  for (const nn::ClassifiedRow& row : rows) texts.push_back(&row.ids);
  return nn::Classifier::load(folder).logits(texts, pool);
}

/// Σ(a − b)² / Σa²
double apart(const std::vector<float>& a, const std::vector<float>& b) {
  double error = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    error += std::pow(static_cast<double>(a[i] - b[i]), 2);
    size += std::pow(static_cast<double>(a[i]), 2);
  }
  return error / size;
}

std::filesystem::path written(const SmallTask& task, const std::string& name,
                              const nn::ClassifierModel& model,
                              const nn::CodedWeights& codes = {}) {
  const std::filesystem::path folder = task / name;
  std::filesystem::create_directory(folder);
  nn::write_classifier_model(folder, model, codes);
  return folder;
}

TEST(PruneClassifier, LeavesANarrowerModelThatAnswersNearlyTheSame) {
  const SmallTask task(200);
  const auto rows = step_rows(task);
  cupel::Run run({});
  std::vector<LayerReport> layers;
  const nn::ClassifierModel pruned =
      prune_classifier(task.model(), rows, 96, Importance::obs, layers, run);
  EXPECT_EQ(pruned.config.encoder.intermediate_size, 96);
  EXPECT_EQ(pruned.at("bert.encoder.layer.1.intermediate.dense.weight").size(), 96u * 64u);
  EXPECT_EQ(pruned.at("bert.encoder.layer.1.output.dense.weight").size(), 64u * 96u);
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(layers[1].channels_before, 128);
  EXPECT_EQ(layers[1].channels_after, 96);
  EXPECT_LT(layers[0].error, 0.1);
  EXPECT_LT(apart(logits_in(task.model(), rows), logits_in(written(task, "p", pruned), rows)),
            0.01);
}

TEST(PruneClassifier, WithNothingToMakeUpForIsTheModelWithTheOthersSetToZero) {
  const SmallTask task(30);
  const auto rows = step_rows(task);
  nn::ClassifierModel model = nn::read_classifier_model(task.model());
  // Channels 0 to 31 of each layer are silent: gelu of a far negative number is 0.
  for (int64_t layer = 0; layer < 2; ++layer) {
    const std::vector<std::string> names = nn::linear_names(layer);
    for (std::size_t i = 0; i < 32; ++i) {
      model.at(names[4] + ".bias")[i] = -1e4F;
      std::fill_n(model.at(names[4] + ".weight").begin() + static_cast<std::ptrdiff_t>(64 * i), 64,
                  0.0F);
    }
  }
  const std::filesystem::path silent = written(task, "silent", model);
  cupel::Run run({});
  std::vector<LayerReport> layers;
  const nn::ClassifierModel pruned =
      prune_classifier(silent, rows, 96, Importance::activation, layers, run);
  EXPECT_LT(layers[0].error, 1e-9);
  EXPECT_LT(apart(logits_in(silent, rows), logits_in(written(task, "p", pruned), rows)), 1e-6);
}

TEST(EncodeClassifier, FeedsErrorsBackBetterThanNearestCodes) {
  const SmallTask task(200);
  const auto rows = step_rows(task);
  const nn::ClassifierModel model = nn::read_classifier_model(task.model());
  cupel::Run run({});
  const auto error = [&](bool nearest) {
    const nn::CodedWeights codes = encode_classifier(task.model(), model, rows, 32, nearest, run);
    EXPECT_EQ(codes.size(), 12u);
    return apart(logits_in(task.model(), rows),
                 logits_in(written(task, nearest ? "n" : "g", model, codes), rows));
  };
  const double nearest = error(true), gptq = error(false);
  EXPECT_LT(nearest, 0.05);
  EXPECT_LT(gptq, nearest);
}

}  // namespace
}  // namespace cupel::compress
