#include "nn/classifier_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/atomic_file.h"
#include "data/cb4.h"
#include "nn/classifier.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/random_classifier.h"

namespace cupel::nn {
namespace {

ClassifierModel random_model(const TemporaryFolder& folder) {
  write_random_classifier(folder.path());
  return read_classifier_model(folder.path());
}

/// Codes of every linear layer, nearest.
CodedWeights nearest_codes(const ClassifierModel& model, int64_t group) {
  CodedWeights codes;
  ThreadPool pool(1);
  for (int64_t layer = 0; layer < model.config.encoder.num_hidden_layers; ++layer)
    for (const std::string& name : linear_names(layer)) {
      const auto out = static_cast<int64_t>(model.at(name + ".bias").size());
      const auto in = static_cast<int64_t>(model.at(name + ".weight").size()) / out;
      std::vector<std::byte>& blocks = codes[name + ".weight"];
      blocks.resize(static_cast<std::size_t>(out * cb4::row_bytes(in)));
      cb4::quantise({model.at(name + ".weight").data(), out, in, in}, {}, group, blocks.data(),
                    pool, name);
    }
  return codes;
}

TEST(ClassifierModel, WrittenAndReadIsTheSame) {
  const TemporaryFolder from, to;
  const ClassifierModel model = random_model(from);
  write_classifier_model(to.path(), model);
  const ClassifierModel again = read_classifier_model(to.path());
  EXPECT_EQ(again.tensors, model.tensors);
  EXPECT_EQ(again.config.labels, model.config.labels);
  EXPECT_FALSE(again.config.encoder.w4a8);
}

TEST(ClassifierModel, InCodesTakesAFractionAndReadsBackAsWhatTheyStandFor) {
  const TemporaryFolder from, to;
  const ClassifierModel model = random_model(from);
  write_classifier_model(to.path(), model, nearest_codes(model, 64), 64);
  EXPECT_LT(std::filesystem::file_size(to / "model.safetensors"),
            std::filesystem::file_size(from / "model.safetensors") / 3);
  const ClassifierModel again = read_classifier_model(to.path());
  EXPECT_TRUE(again.config.encoder.w4a8);
  EXPECT_EQ(again.config.encoder.group_size, 64);
  EXPECT_EQ(again.at("classifier.weight"), model.at("classifier.weight"));
  const auto error = [&](const std::string& name) {
    double sum = 0, size = 0;
    for (std::size_t i = 0; i < model.at(name).size(); ++i) {
      sum += std::pow(static_cast<double>(again.at(name)[i] - model.at(name)[i]), 2);
      size += std::pow(static_cast<double>(model.at(name)[i]), 2);
    }
    return std::sqrt(sum / size);
  };
  EXPECT_LT(error("bert.encoder.layer.0.intermediate.dense.weight"), 0.1);
  EXPECT_LT(error("bert.embeddings.word_embeddings.weight"), 0.01);
  EXPECT_GT(error("bert.embeddings.word_embeddings.weight"), 1e-6);
}

TEST(ClassifierModel, StoredCodesAreComputedWithAsTheyAre) {
  const TemporaryFolder from, to;
  const ClassifierModel model = random_model(from);
  write_classifier_model(to.path(), model, nearest_codes(model, 32));
  ThreadPool pool(1);
  const std::vector<int32_t> ids{2, 7, 8, 9, 3};
  const std::vector<int32_t>* text = &ids;
  const auto stored = Classifier::load(to.path()).logits({&text, 1}, pool);
  const auto exact = Classifier::load(to.path(), EncoderPrecision::fp32).logits({&text, 1}, pool);
  for (std::size_t i = 0; i < stored.size(); ++i)
    EXPECT_NEAR(stored[i], exact[i], 0.05) << "activations alone are rounded";
}

TEST(ClassifierModel, AQuantisationOfSomebodyElseIsRefused) {
  const TemporaryFolder folder;
  const ClassifierModel model = random_model(folder);
  const auto with = [&](const std::string& quantisation) {
    std::string config = read_file(folder / "config.json");
    config.insert(config.rfind('}'), ",\"quantization_config\":" + quantisation);
    const TemporaryFolder other;
    write_classifier_model(other.path(), model);
    write_file_atomically(other / "config.json", config);
    read_classifier_model(other.path());
  };
  EXPECT_THAT([&] { with("{\"quant_method\":\"gptq\"}"); },
              throws_error(ErrorKind::data, "quant_method \"gptq\" is not supported"));
  EXPECT_THAT([&] { with("{\"quant_method\":\"cupel_cb4\",\"group_size\":48}"); },
              throws_error(ErrorKind::data, "group_size 48; known: 32, 64, 128, 256, 512"));
}

}  // namespace
}  // namespace cupel::nn
