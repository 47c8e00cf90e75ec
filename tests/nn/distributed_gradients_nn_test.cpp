#include "nn/distributed_gradients_nn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/batch_nn.h"
#include "support/ranks_nn.h"

namespace cupel::nn {
namespace {

using testing::ElementsAre;

TEST(SharedGradients, BucketsBeginWithTheLastParameterAndASmallOneComesFirst) {
  const auto buckets = cut_into_buckets({5, 9, 2, 2, 1}, 4, 10);
  EXPECT_THAT(buckets,
              ElementsAre(ElementsAre(4, 3), ElementsAre(2), ElementsAre(1), ElementsAre(0)));
}

TEST(SharedGradients, AParameterLargerThanABucketHasOneOfItsOwn) {
  EXPECT_THAT(cut_into_buckets({1, 100, 1}, 4, 10),
              ElementsAre(ElementsAre(2), ElementsAre(1), ElementsAre(0)));
  EXPECT_TRUE(cut_into_buckets({}, 4, 10).empty());
}

/// Two parameters in one bucket or, since `first` fills the first, in two.
struct Model {
  at::Tensor first = at::ones({kFirstBucket}).requires_grad_(true);
  at::Tensor second = at::ones({3}).requires_grad_(true);
  at::Tensor unused = at::ones({2}).requires_grad_(true);
  std::vector<at::Tensor> parameters() const { return {first, second, unused}; }
};

GradientHook plain_hook() {
  GradientHook hook;
  hook.accumulate = [](Batch& batch, const LossFunction& loss, double factor, bool) {
    const at::Tensor sum = loss(batch);
    (sum * factor).backward();
    return sum.detach();
  };
  return hook;
}

TEST(SharedGradients, AreSumsOverMicroBatchesAndRanks) {
  on_ranks(2, [](const Peers& peers) {
    Model model;
    SharedGradients shared(model.parameters(), *peers.group);
    const GradientHook hook = shared.around(plain_hook(), true);
    for (int step = 0; step < 2; ++step) {
      for (const at::Tensor& each : model.parameters()) each.mutable_grad().reset();
      for (int i = 0; i < 2; ++i) {
        Batch batch;
        const double by = 1 + 2 * peers.rank + i;  // 1, 2 and 3, 4
        const LossFunction loss = [&](const Batch&) {
          return by * model.first.sum() + (peers.rank == 1 ? model.second.sum() : at::zeros({}));
        };
        hook.accumulate(batch, loss, 0.5, i == 1);
      }
      hook.finish_step();
      EXPECT_TRUE(at::equal(model.first.grad(), at::full({kFirstBucket}, 5.0F)));
      EXPECT_TRUE(at::equal(model.second.grad(), at::ones({3}))) << "of rank 1 alone";
      EXPECT_FALSE(model.unused.grad().defined()) << "none has one on any rank";
    }
  });
}

TEST(SharedGradients, NoiseComesAfterTheSum) {
  on_ranks(2, [](const Peers& peers) {
    Model model;
    SharedGradients shared(model.parameters(), *peers.group);
    GradientHook hook = plain_hook();
    float before_noise = 0;
    hook.finish_step = [&] { before_noise = model.second.grad()[0].item<float>(); };
    hook = shared.around(std::move(hook), true);
    Batch batch;
    hook.accumulate(
        batch, [&](const Batch&) { return model.second.sum(); }, 1, true);
    hook.finish_step();
    EXPECT_EQ(before_noise, 2);
  });
}

/// A hook of several passes, as FreeLB's, whose gradients are whole only at its end.
TEST(SharedGradients, AHookOfSeveralPassesIsSummedAfterItsLast) {
  on_ranks(2, [](const Peers& peers) {
    Model model;
    SharedGradients shared(model.parameters(), *peers.group);
    GradientHook hook;
    hook.accumulate = [&](Batch&, const LossFunction&, double, bool) {
      for (int pass = 0; pass < 3; ++pass) model.second.sum().backward();
      return at::zeros({});
    };
    hook = shared.around(std::move(hook), false);
    Batch batch;
    hook.accumulate(batch, {}, 1, true);
    hook.finish_step();
    EXPECT_TRUE(at::equal(model.second.grad(), at::full({3}, 6.0F)));
  });
}

/// The first bucket's sum ends while the backward pass still stands before the second's gradients:
/// only if it was started within that pass.
TEST(SharedGradients, ASumGoesOnDuringTheBackwardPass) {
  on_ranks(2, [](const Peers& peers) {
    Model model;
    std::vector<at::Tensor> parameters{model.first, model.second};
    SharedGradients shared(parameters, *peers.group);
    const GradientHook hook = shared.around(plain_hook(), true);
    bool gone_early = false;
    at::Tensor late = model.first * 1;
    late.register_hook([&](const at::Tensor&) { gone_early = !model.second.grad().defined(); });
    Batch batch;
    // Of the later operation the gradient comes first: second's before first's.
    hook.accumulate(
        batch, [&](const Batch&) { return (late.sum() * model.second).sum(); }, 1, true);
    hook.finish_step();
    EXPECT_TRUE(gone_early) << "its gradient had been taken into a sum";
    EXPECT_EQ(model.second.grad()[0].item<float>(), 2 * kFirstBucket);
  });
}

}  // namespace
}  // namespace cupel::nn
