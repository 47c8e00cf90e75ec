// The seams carry what they were cut for: an attack, per-example clipping, and an overlapped
// all-reduce.
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "base/rng.h"
#include "base/run.h"
#include "nn/batch_nn.h"
#include "nn/fit.h"
#include "nn/hooks.h"
#include "support/tensors_nn.h"

namespace cupel::nn {
namespace {

/// Logistic regression on `columns` features: the smallest model that every seam can be tried on.
struct Linear : torch::nn::Module {
  explicit Linear(int64_t columns) {
    weight = register_parameter("weight", at::zeros({1, columns}));
  }
  at::Tensor loss(const Batch& batch) const {
    const at::Tensor margin =
        at::matmul(batch.inputs, weight.t()).squeeze(1) * (batch.labels * 2 - 1);
    return at::softplus(-margin).sum();
  }
  at::Tensor weight;
};

struct Problem {
  Batch batch;
  explicit Problem(uint64_t seed, int64_t rows = 32, int64_t columns = 4) {
    Rng rng(seed, "problem");
    batch.inputs = random_tensor(rng, {rows, columns});
    batch.labels = batch.inputs.sum(1).gt(0).to(at::kLong);
    batch.weight = static_cast<double>(rows);
  }
};

FitConfig config_of(int64_t steps) {
  FitConfig config;
  config.max_steps = steps;
  config.learning_rate = 0.05;
  config.weight_decay = 0;
  config.save_steps = 0;
  return config;
}

/// FGSM (Goodfellow et al. 2015) on the features, as a batch hook.
at::Tensor fgsm(Batch& batch, const LossFunction& loss) {
  const at::Tensor clean = batch.inputs;
  batch.inputs = clean.detach().requires_grad_(true);
  const at::Tensor gradient = torch::autograd::grad({loss(batch)}, {batch.inputs})[0];
  batch.inputs = clean + 0.1 * gradient.sign();
  return loss(batch);
}

TEST(BatchHook, CarriesFgsm) {
  const Problem problem(1);
  Linear model(4);
  {
    at::NoGradGuard no_grad;
    model.weight.fill_(0.5);
  }
  const LossFunction loss = [&](const Batch& batch) { return model.loss(batch); };
  Batch attacked = problem.batch;
  const double clean = loss(problem.batch).item<double>();
  const at::Tensor adversarial = fgsm(attacked, loss);
  EXPECT_GT(adversarial.item<double>(), clean);
  EXPECT_FLOAT_EQ((attacked.inputs - problem.batch.inputs).abs().max().item<float>(), 0.1f);
}

TEST(BatchHook, IsWhatTheLoopTrainsOn) {
  const Problem problem(2);
  Linear model(4);
  int calls = 0;
  const FitModel fit_model{
      &model, Precision::fp32, [&](const Batch& b) { return model.loss(b); }, {}, {}, {}};
  const FitData data{1, [&](int64_t) { return problem.batch; }, {}};
  FitHooks hooks;
  hooks.batch = [&](Batch& batch, const LossFunction& loss) {
    ++calls;
    return fgsm(batch, loss);
  };
  cupel::Run run({.seed = 1, .threads = 1});
  fit(config_of(5), std::nullopt, fit_model, data, hooks, run);
  EXPECT_EQ(calls, 5);
}

/// What the loop gives both kinds of hook: embeddings that lead back to their table, and the
/// micro-batch's index.
TEST(BatchHook, FindsEmbeddingsAndTheIndexOfItsMicroBatch) {
  const Problem problem(7);
  for (const bool gradient : {false, true}) {
    Linear model(4);
    FitModel fit_model{
        &model, Precision::fp32, [&](const Batch& b) { return model.loss(b); }, {}, {}, {}};
    fit_model.embed = [&](const Batch& b) { return b.inputs * model.weight; };
    const FitData data{1, [&](int64_t) { return problem.batch; }, {}};
    std::vector<int64_t> indices;
    const auto look = [&](const Batch& batch) {
      indices.push_back(batch.index);
      EXPECT_TRUE(batch.embeddings.defined() && batch.embeddings.requires_grad());
    };
    FitHooks hooks;
    if (gradient) {
      hooks.gradient.accumulate = [&](Batch& batch, const LossFunction& loss, double, bool) {
        look(batch);
        const at::Tensor sum = loss(batch);
        sum.backward();
        return sum.detach();
      };
    } else {
      hooks.batch = [&](Batch& batch, const LossFunction& loss) {
        look(batch);
        return loss(batch);
      };
    }
    FitConfig config = config_of(2);
    config.gradient_accumulation_steps = 2;
    cupel::Run run({.seed = 1, .threads = 1});
    fit(config, std::nullopt, fit_model, data, hooks, run);
    EXPECT_EQ(indices, (std::vector<int64_t>{0, 1, 2, 3}));
  }
}

/// DP-SGD's clipping (Abadi et al. 2016, algorithm 1, without noise): each example's gradient at
/// most `bound` long.
GradientHook per_example_clipping(Linear& model, double bound) {
  GradientHook hook;
  hook.accumulate = [&model, bound](Batch& batch, const LossFunction& loss, double factor, bool) {
    at::Tensor total = at::zeros({});
    at::Tensor gradient = at::zeros_like(model.weight);
    for (int64_t i = 0; i < batch.inputs.size(0); ++i) {
      Batch example{batch.inputs.narrow(0, i, 1), batch.labels.narrow(0, i, 1), {}, {}, {}, 1};
      const at::Tensor one = loss(example);
      const at::Tensor g = torch::autograd::grad({one}, {model.weight})[0];
      gradient += g * std::min(1.0, bound / g.norm().item<double>());
      total += one.detach();
    }
    model.weight.mutable_grad() = gradient * factor;
    return total;
  };
  return hook;
}

TEST(GradientHook, CarriesPerExampleClipping) {
  const Problem problem(3);
  Linear model(4);
  const LossFunction loss = [&](const Batch& batch) { return model.loss(batch); };
  Batch batch = problem.batch;
  const double bound = 0.01;
  per_example_clipping(model, bound).accumulate(batch, loss, 1.0, true);
  EXPECT_LE(model.weight.grad().norm().item<double>(), bound * batch.weight * (1 + 1e-5));
  Batch whole = problem.batch;
  per_example_clipping(model, 1e9).accumulate(whole, loss, 1.0, true);
  const at::Tensor plain = torch::autograd::grad({model.loss(problem.batch)}, {model.weight})[0];
  EXPECT_TRUE(at::allclose(model.weight.grad(), plain, 1e-5, 1e-6));
}

TEST(GradientHook, FinishesEveryStepOnce) {
  const Problem problem(4);
  Linear model(4);
  FitConfig config = config_of(3);
  config.gradient_accumulation_steps = 4;
  std::vector<bool> last_flags;
  int finished = 0;
  FitHooks hooks;
  hooks.gradient.accumulate = [&](Batch& batch, const LossFunction& loss, double factor,
                                  bool last) {
    last_flags.push_back(last);
    const at::Tensor sum = loss(batch);
    (sum * factor).backward();
    return sum.detach();
  };
  hooks.gradient.finish_step = [&] { ++finished; };
  const FitModel fit_model{
      &model, Precision::fp32, [&](const Batch& b) { return model.loss(b); }, {}, {}, {}};
  const FitData data{1, [&](int64_t) { return problem.batch; }, {}};
  cupel::Run run({.seed = 1, .threads = 1});
  fit(config, std::nullopt, fit_model, data, hooks, run);
  EXPECT_EQ(finished, 3);
  const std::vector<bool> a_step = {false, false, false, true};
  for (std::size_t i = 0; i < last_flags.size(); ++i) EXPECT_EQ(last_flags[i], a_step[i % 4]);
}

/// An all-reduce that starts in the backward pass, as soon as a gradient is there, and is awaited
/// in finish_step.
TEST(GradientHook, CarriesAnOverlappedAllReduce) {
  const Problem problem(5), other(6);
  Linear model(4), peer(4);
  const double labels = problem.batch.weight + other.batch.weight;
  const at::Tensor peer_gradient =
      torch::autograd::grad({peer.loss(other.batch)}, {peer.weight})[0] / labels;
  std::thread reduce;
  at::Tensor reduced;
  bool running = false, began_in_backward = false;
  model.weight.register_hook([&](const at::Tensor& gradient) {
    began_in_backward = running;
    reduce = std::thread([&reduced, &peer_gradient, own = gradient.detach() * 0.5] {
      reduced = own + peer_gradient;
    });
  });
  FitHooks hooks;
  hooks.gradient.accumulate = [&](Batch& batch, const LossFunction& loss, double factor, bool) {
    const at::Tensor sum = loss(batch);
    running = true;
    (sum * factor).backward();
    running = false;
    return sum.detach();
  };
  hooks.gradient.finish_step = [&] {
    reduce.join();
    model.weight.mutable_grad() = reduced;
  };
  const FitModel fit_model{
      &model, Precision::fp32, [&](const Batch& b) { return model.loss(b); }, {}, {}, {}};
  const FitData data{1, [&](int64_t) { return problem.batch; }, {}};
  cupel::Run run({.seed = 1, .threads = 1});
  const at::Tensor own =
      torch::autograd::grad({peer.loss(problem.batch)}, {peer.weight})[0] / labels;
  fit(config_of(1), std::nullopt, fit_model, data, hooks, run);
  EXPECT_TRUE(began_in_backward);
  EXPECT_TRUE(at::allclose(reduced, own + peer_gradient, 1e-5, 1e-7));
}

}  // namespace
}  // namespace cupel::nn
