#include "nn/classifier_files_nn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"
#include "support/tensors_nn.h"

namespace cupel::nn {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// The fixture's weights, changed, in a folder of its own.
void write_changed(const std::filesystem::path& folder,
                   const std::function<void(std::vector<TensorEntry>&)>& change) {
  const Safetensors weights = Safetensors::open(fixture("classify"));
  std::vector<TensorEntry> entries = weights.tensors();
  change(entries);
  write_safetensors(folder / "model.safetensors", std::move(entries));
  std::filesystem::copy_file(fixture("classify") / "config.json", folder / "config.json");
}

TEST(ClassifierFiles, ReadsWhatItWroteUnderTransformersNames) {
  const auto classifier = load_classifier(fixture("classify"));
  const TemporaryFolder folder;
  save_classifier(folder.path(), *classifier, 0.1);
  const Safetensors before = Safetensors::open(fixture("classify"));
  const Safetensors after = Safetensors::open(folder.path());
  ASSERT_EQ(after.tensors().size(), before.tensors().size());
  for (const TensorEntry& entry : before.tensors()) {
    EXPECT_TRUE(
        at::equal(read_tensor(before, entry.name).to(at::kFloat), read_tensor(after, entry.name)))
        << entry.name;
  }
  EXPECT_TRUE(is_classifier(folder.path()));
  EXPECT_EQ(load_classifier(folder.path())->config().labels, classifier->config().labels);
}

TEST(ClassifierFiles, ReadsNamesWithoutBertAndGammaAndBeta) {
  const TemporaryFolder folder;
  write_changed(folder.path(), [](std::vector<TensorEntry>& entries) {
    for (TensorEntry& entry : entries) {
      if (entry.name.starts_with("bert.")) entry.name.erase(0, 5);
      for (const auto& [now, before] : {std::pair("LayerNorm.weight", "LayerNorm.gamma"),
                                        std::pair("LayerNorm.bias", "LayerNorm.beta")}) {
        const std::size_t at = entry.name.find(now);
        if (at != std::string::npos) entry.name.replace(at, std::string::npos, before);
      }
    }
  });
  Batch batch;
  batch.inputs = at::arange(6, at::kLong).unsqueeze(0);
  EXPECT_TRUE(at::equal(load_classifier(folder.path())->logits(batch, {}),
                        load_classifier(fixture("classify"))->logits(batch, {})));
}

TEST(ClassifierFiles, SaysWhatACheckpointLacksAndLeavesItAsItWas) {
  const TemporaryFolder folder;
  write_changed(folder.path(), [](std::vector<TensorEntry>& entries) {
    std::erase_if(entries, [](const TensorEntry& entry) {
      return entry.name.starts_with("bert.pooler.") || entry.name.starts_with("classifier.");
    });
  });
  ClassifierConfig config = read_classifier_config(folder.path());
  config.labels = {"a", "b"};
  BertClassifier classifier(config);
  fill_randomly(classifier);
  const at::Tensor head = classifier.named_parameters()["classifier.weight"].clone();
  EXPECT_THAT(load_classifier_weights(folder.path(), classifier, false),
              ElementsAre("pooler", "head"));
  EXPECT_TRUE(at::equal(classifier.named_parameters()["classifier.weight"], head));
  EXPECT_THAT([&] { load_classifier(folder.path()); },
              throws_error(ErrorKind::data, "tensor classifier.weight is missing"));
  const auto whole = load_classifier(fixture("classify"));
  EXPECT_THAT(load_classifier_weights(fixture("classify"), *whole, true), IsEmpty());
}

TEST(ClassifierFiles, NamesATensorThatDoesNotFit) {
  const auto expect = [](const std::function<void(std::vector<TensorEntry>&)>& change,
                         const std::string& text) {
    const TemporaryFolder folder;
    write_changed(folder.path(), change);
    EXPECT_THAT([&] { load_classifier(folder.path()); }, throws_error(ErrorKind::data, text));
  };
  const auto find = [](std::vector<TensorEntry>& entries, const std::string& name) -> TensorEntry& {
    return *std::ranges::find(entries, name, &TensorEntry::name);
  };
  const std::string up = "bert.encoder.layer.1.intermediate.dense.weight";
  expect(
      [&](auto& entries) {
        find(entries, up).shape = {24, 40};
      },
      "tensor " + up + " is [24, 40], config.json says [40, 24]");
  expect([&](auto& entries) { find(entries, up).dtype = Dtype::i16; },
         "tensor " + up + " has type I16");
  expect([&](auto& entries) { find(entries, up).name = "bert.encoder.layer.2.what"; },
         "tensor " + up + " is missing");
  expect(
      [&](auto& entries) {
        TensorEntry more = find(entries, up);
        more.name = "bert.encoder.layer.2.intermediate.dense.weight";
        entries.push_back(more);
      },
      "tensor bert.encoder.layer.2.intermediate.dense.weight is unexpected");
  expect(
      [&](auto& entries) {
        std::erase_if(entries, [](const TensorEntry& entry) {
          return entry.name.starts_with("bert.pooler.");
        });
      },
      "tensor bert.pooler.dense.weight is missing");
}

}  // namespace
}  // namespace cupel::nn
