// A classifier against transformers, and against itself.
#include "nn/bert_nn.h"

#include <gtest/gtest.h>

#include "nn/classifier_files_nn.h"
#include "support/tensors_nn.h"

namespace cupel::nn {
namespace {

std::shared_ptr<BertClassifier> fixture_classifier(at::ScalarType type = at::kFloat) {
  auto classifier = load_classifier(fixture("classify"));
  classifier->to(type);
  return classifier;
}

Batch fixture_batch() {
  const Safetensors expected = Safetensors::open(fixture("classify") / "expected.safetensors");
  Batch batch;
  batch.inputs = read_tensor(expected, "ids");
  batch.lengths = read_tensor(expected, "lengths");
  batch.labels = read_tensor(expected, "labels");
  batch.weight = static_cast<double>(batch.labels.numel());
  return batch;
}

/// Logits and loss within `tolerance` of the largest, every gradient within ten times as much.
void expect_reference(at::ScalarType type, double tolerance, bool recompute = false) {
  const Safetensors expected = Safetensors::open(fixture("classify") / "expected.safetensors");
  const auto classifier = fixture_classifier(type);
  const Batch batch = fixture_batch();
  BertOptions options;
  options.recompute = recompute;
  EXPECT_LE(relative_gap(classifier->logits(batch, options), read_tensor(expected, "logits")),
            tolerance);
  const at::Tensor loss = classifier->loss(batch, options) / batch.weight;
  EXPECT_LE(relative_gap(loss, read_tensor(expected, "loss").squeeze()), tolerance);
  loss.backward();
  int compared = 0;
  for (const auto& item : classifier->named_parameters()) {
    const at::Tensor want = read_tensor(expected, "grad." + item.key());
    // The keys' bias moves every score of a query alike: its gradient is 0 but for rounding.
    const bool vanishes = item.key().ends_with("self.key.bias");
    const double gap = vanishes ? item.value().grad().abs().max().item<double>()
                                : relative_gap(item.value().grad(), want);
    EXPECT_LE(gap, 10 * tolerance) << item.key();
    ++compared;
  }
  EXPECT_EQ(compared, 5 + 2 * 16 + 4);
}

TEST(BertClassifier, GivesTheReferencesLogitsLossAndGradientsInDouble) {
  expect_reference(at::kDouble, 1e-10);
  expect_reference(at::kDouble, 1e-10, /*recompute=*/true);
}

TEST(BertClassifier, GivesTheReferencesLogitsLossAndGradientsOverTheKernels) {
  expect_reference(at::kFloat, 1e-5);
}

TEST(BertClassifier, ComesNearTheReferenceInSixteenBits) {
  const Safetensors expected = Safetensors::open(fixture("classify") / "expected.safetensors");
  const auto classifier = fixture_classifier();
  for (const auto& [storage, tolerance] :
       {std::pair{at::kBFloat16, 3e-2}, std::pair{at::kHalf, 5e-3}}) {
    BertOptions options;
    options.storage = storage;
    const at::Tensor logits = classifier->logits(fixture_batch(), options);
    EXPECT_EQ(logits.scalar_type(), at::kFloat);
    EXPECT_LE(relative_gap(logits, read_tensor(expected, "logits")), tolerance) << storage;
    EXPECT_GT(relative_gap(logits, read_tensor(expected, "logits")), 1e-5) << storage;
  }
}

TEST(BertClassifier, ARowsLogitsDoNotDependOnItsPadding) {
  const auto classifier = fixture_classifier(at::kDouble);
  const at::Tensor together = classifier->logits(fixture_batch(), {});
  const Batch all = fixture_batch();
  for (int64_t row = 0; row < 5; ++row) {
    Batch alone;
    alone.inputs = all.inputs.narrow(0, row, 1).narrow(1, 0, all.lengths[row].item<int64_t>());
    EXPECT_LE(relative_gap(classifier->logits(alone, {}), together.narrow(0, row, 1)), 1e-12);
    alone.inputs = at::constant_pad_nd(alone.inputs, {0, 5}, 9);
    alone.lengths = all.lengths.narrow(0, row, 1);
    EXPECT_LE(relative_gap(classifier->logits(alone, {}), together.narrow(0, row, 1)), 1e-12);
  }
}

/// Loss and all gradients of one pass, flat.
at::Tensor pass_of_classifier(BertClassifier& classifier, const BertOptions& options) {
  classifier.zero_grad();
  const at::Tensor loss = classifier.loss(fixture_batch(), options);
  loss.backward();
  std::vector<at::Tensor> all{loss.detach().reshape({1})};
  for (const at::Tensor& parameter : classifier.parameters())
    all.push_back(parameter.grad().flatten().clone());
  return at::cat(all);
}

TEST(BertClassifier, RecomputesActivationsToTheSameBitsAndDropsByItsKey) {
  const auto classifier = fixture_classifier();
  for (const at::ScalarType storage : {at::kFloat, at::kBFloat16, at::kHalf}) {
    BertOptions options;
    options.storage = storage;
    options.dropout = 0.3;
    options.dropout_key = 11;
    const at::Tensor kept = pass_of_classifier(*classifier, options);
    options.recompute = true;
    EXPECT_TRUE(at::equal(pass_of_classifier(*classifier, options), kept)) << storage;
    options.dropout_key = 12;
    EXPECT_FALSE(at::equal(pass_of_classifier(*classifier, options), kept)) << storage;
  }
}

TEST(BertClassifier, TakesEmbeddingsInThePlaceOfIds) {
  const auto classifier = fixture_classifier();
  Batch batch = fixture_batch();
  const at::Tensor by_ids = classifier->logits(batch, {});
  batch.embeddings = classifier->embed(batch);
  EXPECT_TRUE(at::equal(classifier->logits(batch, {}), by_ids));
  batch.embeddings = batch.embeddings + 0.1;
  EXPECT_FALSE(at::equal(classifier->logits(batch, {}), by_ids));
}

TEST(BertClassifier, BeginsWithTheSameRandomWeightsForASeed) {
  const ClassifierConfig config = read_classifier_config(fixture("classify"));
  BertClassifier one(config), two(config), other(config);
  one.initialise(cupel::Run({.seed = 4, .threads = 1}));
  two.initialise(cupel::Run({.seed = 4, .threads = 1}));
  other.initialise(cupel::Run({.seed = 5, .threads = 1}));
  EXPECT_TRUE(at::equal(one.logits(fixture_batch(), {}), two.logits(fixture_batch(), {})));
  EXPECT_FALSE(at::equal(one.logits(fixture_batch(), {}), other.logits(fixture_batch(), {})));
  const at::Tensor words = one.named_parameters()["bert.embeddings.word_embeddings.weight"];
  EXPECT_NEAR(words.std().item<double>(), 0.02, 0.002);
}

}  // namespace
}  // namespace cupel::nn
