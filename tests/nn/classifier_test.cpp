#include "nn/classifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "support/errors.h"
#include "support/files.h"
#include "support/random_classifier.h"

namespace cupel::nn {
namespace {

using Texts = std::vector<std::vector<int32_t>>;
const std::filesystem::path kFixture =
    std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures/classify";

std::vector<float> logits_of(const Classifier& classifier, const Texts& texts, int threads = 1) {
  ThreadPool pool(threads);
  std::vector<const std::vector<int32_t>*> rows;
  for (const auto& text : texts) rows.push_back(&text);
  return classifier.logits(rows, pool);
}

template <class T>
std::vector<T> values_of(const Safetensors& file, std::string_view name) {
  const TensorEntry* entry = file.find(name);
  std::vector<T> values(static_cast<std::size_t>(entry->bytes) / sizeof(T));
  std::memcpy(values.data(), entry->data, static_cast<std::size_t>(entry->bytes));
  return values;
}

TEST(Classifier, GivesTheReferencesLogits) {
  const Safetensors expected = Safetensors::open(kFixture / "expected.safetensors");
  const std::vector<int64_t> ids = values_of<int64_t>(expected, "ids");
  const std::vector<int64_t> lengths = values_of<int64_t>(expected, "lengths");
  const std::size_t longest = ids.size() / lengths.size();
  Texts texts;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(i * longest);
    texts.emplace_back(begin, begin + lengths[i]);
  }
  const std::vector<float> logits = logits_of(Classifier::load(kFixture), texts);
  const std::vector<double> wanted = values_of<double>(expected, "logits");
  ASSERT_EQ(logits.size(), wanted.size());
  for (std::size_t i = 0; i < logits.size(); ++i)
    EXPECT_NEAR(static_cast<double>(logits[i]), wanted[i], 1e-5) << i;
}

TEST(Classifier, FourBitWeightsAndEightBitActivationsComeNearTheExactLogits) {
  const TemporaryFolder folder;
  write_random_classifier(folder.path(), {.intermediate_size = 256});
  const Texts texts = {{2, 7, 8, 9, 3}, {2, 30, 31, 11, 11, 40, 3}, {2, 3}};
  const std::vector<float> exact = logits_of(Classifier::load(folder.path()), texts);
  const std::vector<float> coded =
      logits_of(Classifier::load(folder.path(), EncoderPrecision::w4a8), texts);
  double error = 0, size = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    error += std::pow(static_cast<double>(coded[i] - exact[i]), 2);
    size += std::pow(static_cast<double>(exact[i]), 2);
  }
  EXPECT_LT(error, 0.05 * size);
  EXPECT_GT(error, 1e-6 * size);
}

TEST(Classifier, NeitherThreadsNorNeighboursChangeABit) {
  const TemporaryFolder folder;
  write_random_classifier(folder.path());
  for (const EncoderPrecision precision : {EncoderPrecision::fp32, EncoderPrecision::w4a8}) {
    const Classifier classifier = Classifier::load(folder.path(), precision);
    Texts texts;
    for (int i = 0; i < 80; ++i) texts.emplace_back(i % 31 + 1, 5 + i % 40);
    const std::vector<float> all = logits_of(classifier, texts);
    EXPECT_EQ(logits_of(classifier, texts, 3), all);
    const std::vector<float> alone = logits_of(classifier, {texts[79]}, 2);
    EXPECT_EQ(alone, std::vector<float>(all.end() - 4, all.end()));
  }
}

TEST(Classifier, AModelWithoutClassesIsRefused) {
  EXPECT_THAT(
      [] {
        Classifier::load(std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures/encoder/tiny");
      },
      throws_error(ErrorKind::config, "config.json names no classes"));
}

}  // namespace
}  // namespace cupel::nn
