// Moved embeddings on the smallest model that reads tokens: how far they move, and what gradient a
// step takes, against the same in plain loops.
#include <gtest/gtest.h>

#include <cmath>

#include "augment/embeddings.h"
#include "nn/batch_nn.h"
#include "support/tensors_nn.h"

namespace cupel::augment {
namespace {

constexpr int64_t kRows = 3, kLength = 4, kWidth = 5, kWords = 7;

/// A classifier of the sum of a row's embeddings: L = Σ_b ln(1 + exp(-y_b w·Σ_t e_bt)), y = ±1.
struct Classifier : torch::nn::Module {
  Classifier() {
    table = register_parameter("table", random_tensor({kWords, kWidth}, 1));
    weight = register_parameter("weight", random_tensor({kWidth}, 2));
  }
  at::Tensor embed(const nn::Batch& batch) const { return table.index({batch.inputs}); }
  at::Tensor loss(const nn::Batch& batch) {
    const at::Tensor x = batch.embeddings.defined() ? batch.embeddings : embed(batch);
    seen.push_back(x.detach().clone());
    const at::Tensor margin = at::matmul(x, weight).sum(1) * (batch.labels * 2 - 1);
    return at::softplus(-margin).sum();
  }
  at::Tensor table, weight;
  std::vector<at::Tensor> seen;  // embeddings of each call
};

nn::Batch batch_of(int64_t rows = kRows) {
  nn::Batch batch;
  Rng rng(4, "words");
  batch.inputs = at::empty({rows, kLength}, at::kLong);
  for (int64_t i = 0; i < batch.inputs.numel(); ++i)
    batch.inputs.mutable_data_ptr<int64_t>()[i] = static_cast<int64_t>(rng.below(kWords));
  batch.labels = at::arange(rows) % 2;
  batch.weight = static_cast<double>(rows);
  return batch;
}

EmbeddingConfig attack(EmbeddingMethod method, double epsilon, std::optional<int64_t> steps = {},
                       std::optional<double> step_size = {}) {
  return {method, epsilon, steps, step_size};
}

/// One micro-batch as the loop takes it: gradients of factor * loss in the model's parameters.
void take_step(const EmbeddingConfig& config, Classifier& model, nn::Batch batch,
               double factor = 1) {
  cupel::Run run({.seed = 5, .threads = 1});
  EmbeddingWork work;
  const nn::FitHooks hooks = embedding_hooks(config, run, work);
  const nn::LossFunction loss = [&](const nn::Batch& b) { return model.loss(b); };
  batch.embeddings = model.embed(batch);
  model.zero_grad();
  model.seen.clear();
  if (hooks.gradient.accumulate) {
    hooks.gradient.accumulate(batch, loss, factor, true);
  } else {
    (hooks.batch(batch, loss) * factor).backward();
  }
  EXPECT_EQ(work.micro_batches, 1);
  EXPECT_GE(work.extra_ms, 0);
}

double size_of(const at::Tensor& x) { return x.norm().item<double>(); }

TEST(EmbeddingHooks, FgsmMovesEveryElementByEpsilonRootMeanSquares) {
  Classifier model;
  const nn::Batch batch = batch_of();
  take_step(attack(EmbeddingMethod::fgsm, 0.2), model, batch);
  ASSERT_EQ(model.seen.size(), 2u);
  const at::Tensor move = model.seen[1] - model.seen[0];
  for (int64_t row = 0; row < kRows; ++row) {
    const double size = 0.2 * size_of(model.seen[0][row]) / std::sqrt(kLength * kWidth);
    EXPECT_TRUE(at::allclose(move[row].abs(), at::full({kLength, kWidth}, size), 1e-4));
    // Uphill of L = softplus(-y w·Σe) is along -y w.
    const double y = batch.labels[row].item<double>() * 2 - 1;
    EXPECT_TRUE(at::equal(move[row][0].sign(), (model.weight.detach() * -y).sign()));
  }
}

TEST(EmbeddingHooks, PgdBeginsSomewhereInTheBoxAndEndsWhereTheLossIsNoLess) {
  Classifier model;
  take_step(attack(EmbeddingMethod::pgd, 0.2, 4), model, batch_of());
  ASSERT_EQ(model.seen.size(), 5u);
  const at::Tensor clean = model.embed(batch_of()).detach();
  for (const at::Tensor& x : model.seen) {
    for (int64_t row = 0; row < kRows; ++row) {
      const double bound = 0.2 * size_of(clean[row]) / std::sqrt(kLength * kWidth);
      EXPECT_LE((x[row] - clean[row]).abs().max().item<double>(), bound * (1 + 1e-5));
    }
  }
  EXPECT_FALSE(at::equal(model.seen[0], clean));
  nn::Batch moved = batch_of();
  moved.embeddings = model.seen.back();
  EXPECT_GT(model.loss(moved).item<double>(), model.loss(batch_of()).item<double>());
}

TEST(EmbeddingHooks, FreeLbStaysWithinEpsilonOfEverySequence) {
  Classifier model;
  const at::Tensor clean = model.embed(batch_of()).detach();
  take_step(attack(EmbeddingMethod::freelb, 0.1, 4, 0.5), model, batch_of());
  ASSERT_EQ(model.seen.size(), 4u);
  for (int64_t row = 0; row < kRows; ++row) {
    const double bound = 0.1 * size_of(clean[row]);
    const double first = size_of(model.seen[0][row] - clean[row]);
    EXPECT_GT(first, 0);
    EXPECT_LE(first, bound);
    for (std::size_t i = 1; i < 4; ++i)  // a step this long always ends on the sphere
      EXPECT_NEAR(size_of(model.seen[i][row] - clean[row]), bound, bound * 1e-4);
  }
}

TEST(EmbeddingHooks, PaddingDoesNotMoveAndDoesNotCount) {
  for (const EmbeddingMethod method :
       {EmbeddingMethod::fgsm, EmbeddingMethod::pgd, EmbeddingMethod::freelb}) {
    Classifier model;
    nn::Batch batch = batch_of();
    batch.lengths = at::tensor({2, 4, 1}, at::kLong);
    const at::Tensor clean = model.embed(batch).detach();
    take_step(attack(method, 0.1), model, batch);
    const at::Tensor move = model.seen.back() - clean;
    EXPECT_EQ(size_of(move[0].narrow(0, 2, 2)), 0) << name_of(method);
    EXPECT_EQ(size_of(move[2].narrow(0, 1, 3)), 0);
    EXPECT_GT(size_of(move[0].narrow(0, 0, 2)), 0);
    EXPECT_LE(size_of(move[2]), 0.1 * size_of(clean[2][0]) * (1 + 1e-5));
  }
}

/// FreeLB's two passes written out: gradients of both parameters, from δ of the first pass.
struct Reference {
  std::vector<double> table = std::vector<double>(kWords * kWidth),
                      weight = std::vector<double>(kWidth);
};

Reference freelb_by_hand(const Classifier& model, const nn::Batch& batch, const at::Tensor& first,
                         double epsilon, double step_size, double factor) {
  Reference out;
  const at::Tensor clean = model.embed(batch).detach();
  for (int64_t b = 0; b < kRows; ++b) {
    double length = 0, x[kLength][kWidth], e[kLength][kWidth], w[kWidth];
    for (int64_t j = 0; j < kWidth; ++j) w[j] = model.weight[j].item<double>();
    for (int64_t t = 0; t < kLength; ++t) {
      for (int64_t j = 0; j < kWidth; ++j) {
        e[t][j] = clean[b][t][j].item<double>();
        x[t][j] = first[b][t][j].item<double>();
        length += e[t][j] * e[t][j];
      }
    }
    length = std::sqrt(length);
    for (int pass = 0; pass < 2; ++pass) {
      double score = 0, slope_norm = 0, move_norm = 0;
      for (int64_t t = 0; t < kLength; ++t)
        for (int64_t j = 0; j < kWidth; ++j) score += w[j] * x[t][j];
      const double y = batch.labels[b].item<double>() * 2 - 1;
      const double slope = -y / (1 + std::exp(y * score));  // dL / d score
      for (int64_t t = 0; t < kLength; ++t) {
        const int64_t word = batch.inputs[b][t].item<int64_t>();
        for (int64_t j = 0; j < kWidth; ++j) {
          out.weight[static_cast<std::size_t>(j)] += factor / 2 * slope * x[t][j];
          out.table[static_cast<std::size_t>(word * kWidth + j)] += factor / 2 * slope * w[j];
          slope_norm += slope * w[j] * slope * w[j];
        }
      }
      for (int64_t t = 0; t < kLength; ++t) {
        for (int64_t j = 0; j < kWidth; ++j) {
          x[t][j] += step_size * length * slope * w[j] / std::sqrt(slope_norm);
          move_norm += (x[t][j] - e[t][j]) * (x[t][j] - e[t][j]);
        }
      }
      const double back = std::min(1.0, epsilon * length / std::sqrt(move_norm));
      for (int64_t t = 0; t < kLength; ++t)
        for (int64_t j = 0; j < kWidth; ++j) x[t][j] = e[t][j] + back * (x[t][j] - e[t][j]);
    }
  }
  return out;
}

TEST(EmbeddingHooks, FreeLbsGradientIsTheMeanOverItsAscentAsWrittenByHand) {
  for (const double step_size : {0.02, 0.3}) {  // inside the ball, and back from outside
    Classifier model;
    const nn::Batch batch = batch_of();
    take_step(attack(EmbeddingMethod::freelb, 0.1, 2, step_size), model, batch, 8.0);
    const Reference want = freelb_by_hand(model, batch, model.seen[0], 0.1, step_size, 8.0);
    for (int64_t j = 0; j < kWidth; ++j) {
      EXPECT_NEAR(model.weight.grad()[j].item<double>(), want.weight[static_cast<std::size_t>(j)],
                  1e-4);
    }
    const at::Tensor table = model.table.grad().flatten();
    for (int64_t i = 0; i < table.numel(); ++i)
      EXPECT_NEAR(table[i].item<double>(), want.table[static_cast<std::size_t>(i)], 1e-4);
  }
}

TEST(EmbeddingHooks, FgsmsGradientIsTheSumOfThoseOfItsParts) {
  Classifier whole, parts;
  const EmbeddingConfig config = attack(EmbeddingMethod::fgsm, 0.1);
  const nn::Batch batch = batch_of();
  take_step(config, whole, batch);
  at::Tensor sum = at::zeros_like(parts.table);
  for (int64_t row = 0; row < kRows; ++row) {
    nn::Batch one;
    one.inputs = batch.inputs.narrow(0, row, 1);
    one.labels = batch.labels.narrow(0, row, 1);
    take_step(config, parts, one);
    sum += parts.table.grad();
  }
  EXPECT_TRUE(at::allclose(whole.table.grad(), sum, 1e-4, 1e-6));
}

/// Weights after ten steps.
at::Tensor trained(const EmbeddingConfig& config, bool hooked) {
  Classifier model;
  nn::FitModel fit_model;
  fit_model.module = &model;
  fit_model.loss = [&](const nn::Batch& batch) { return model.loss(batch); };
  fit_model.embed = [&](const nn::Batch& batch) { return model.embed(batch); };
  nn::FitData data;
  data.micro_batches_per_epoch = 1;
  data.micro_batch = [](int64_t) { return batch_of(); };
  nn::FitConfig settings;
  settings.max_steps = 10;
  settings.gradient_accumulation_steps = 2;
  settings.learning_rate = 0.05;
  cupel::Run run({.seed = 5, .threads = 1});
  EmbeddingWork work;
  nn::fit(settings, std::nullopt, fit_model, data,
          hooked ? embedding_hooks(config, run, work) : nn::FitHooks{}, run);
  if (hooked && config.epsilon > 0) {
    EXPECT_EQ(work.micro_batches, 20);
  }
  return model.table.detach().clone();
}

TEST(EmbeddingHooks, WithEpsilonZeroTakeThePlainStepToTheBit) {
  const at::Tensor plain = trained({}, false);
  for (const EmbeddingMethod method :
       {EmbeddingMethod::fgsm, EmbeddingMethod::pgd, EmbeddingMethod::freelb}) {
    EXPECT_TRUE(at::equal(plain, trained(attack(method, 0), true)));
    const at::Tensor moved = trained(attack(method, 0.1), true);
    EXPECT_FALSE(at::equal(plain, moved)) << name_of(method);
    EXPECT_TRUE(at::equal(moved, trained(attack(method, 0.1), true)));
    // As epsilon goes to zero, so does the difference.
    EXPECT_TRUE(at::allclose(plain, trained(attack(method, 1e-7), true), 1e-3, 1e-3));
  }
}

}  // namespace
}  // namespace cupel::augment
