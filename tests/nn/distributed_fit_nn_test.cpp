// Several ranks train what one rank does.
#include "nn/distributed_fit_nn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <mutex>

#include "base/atomic_file.h"
#include "nn/checkpoint.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/ranks_nn.h"
#include "support/small_fit_nn.h"

namespace cupel::nn {
namespace {

/// Sums come in another order: over twenty to thirty steps of AdamW the weights stay this close.
constexpr double kTolerance = 2e-5;

struct Outcome {
  std::vector<at::Tensor> weights;  // parameters, then buffers
  FitReport report;
};

/// The small problem as one rank of several, or alone; `change` may alter settings and model.
using Change = std::function<void(FitConfig&, Trainer&)>;

Outcome fit_rank(RunOptions options, const std::optional<LossScaleConfig>& scaling,
                 const Change& change, const FitHooks& hooks = {}) {
  Trainer trainer;
  FitConfig config = small_config();
  if (change) change(config, trainer);
  cupel::Run run(std::move(options));
  Outcome outcome;
  outcome.report = fit(config, scaling, trainer.model, trainer.data, hooks, run);
  for (const at::Tensor& each : trainer.network.parameters())
    outcome.weights.push_back(each.detach().clone());
  for (const at::Tensor& each : trainer.network.buffers()) outcome.weights.push_back(each.clone());
  return outcome;
}

RunOptions rank_options(const Peers& peers, const std::filesystem::path& folder = {},
                        bool resume = false) {
  RunOptions options = fit_options(peers.rank == 0 ? folder : std::filesystem::path(), resume);
  options.peers = peers;
  return options;
}

std::vector<Outcome> fit_ranks(int size, const std::optional<LossScaleConfig>& scaling = {},
                               const Change& change = {}) {
  std::vector<Outcome> outcomes(static_cast<std::size_t>(size));
  on_ranks(size, [&](const Peers& peers) {
    outcomes[static_cast<std::size_t>(peers.rank)] = fit_rank(rank_options(peers), scaling, change);
  });
  return outcomes;
}

void expect_close(const Outcome& got, const Outcome& want) {
  ASSERT_EQ(got.weights.size(), want.weights.size());
  for (std::size_t i = 0; i < want.weights.size(); ++i)
    EXPECT_LE(relative_gap(got.weights[i], want.weights[i]), kTolerance) << i;
  EXPECT_EQ(got.report.steps, want.report.steps);
  EXPECT_EQ(got.report.labels, want.report.labels);
  EXPECT_NEAR(got.report.train_loss, want.report.train_loss, 1e-5 * want.report.train_loss);
}

void expect_equal(const Outcome& a, const Outcome& b) {
  for (std::size_t i = 0; i < a.weights.size(); ++i)
    EXPECT_TRUE(at::equal(a.weights[i], b.weights[i])) << i;
}

TEST(DistributedFit, TwoRanksLearnWhatOneDoesWithTwiceTheAccumulation) {
  const Outcome alone = fit_rank(fit_options({}), {}, [](FitConfig& config, Trainer&) {
    config.gradient_accumulation_steps = 4;
  });
  const std::vector<Outcome> two = fit_ranks(2);
  expect_equal(two[0], two[1]);
  expect_close(two[0], alone);
}

TEST(DistributedFit, RanksWithBatchesOfDifferentLabelsWeighEachLabelOnce) {
  const auto uneven = [](Trainer& trainer) {
    trainer.data.micro_batch = [](int64_t index) { return make_batch(index, 1 + index % 5); };
  };
  const Outcome alone = fit_rank(fit_options({}), {}, [&](FitConfig& config, Trainer& trainer) {
    config.gradient_accumulation_steps = 3;
    uneven(trainer);
  });
  const std::vector<Outcome> three = fit_ranks(3, {}, [&](FitConfig& config, Trainer& trainer) {
    config.gradient_accumulation_steps = 1;
    uneven(trainer);
  });
  expect_equal(three[0], three[2]);
  expect_close(three[0], alone);
}

TEST(DistributedFit, AnOverflowOnOneRankIsSkippedByAll) {
  LossScaleConfig scaling;
  scaling.increment_period = 3;
  scaling.initial = 1024;
  const auto overflow_once = [](Trainer& trainer) {
    trainer.data.micro_batch = [](int64_t index) {
      Batch batch = make_batch(index);
      if (index == 9) batch.inputs.fill_(std::numeric_limits<float>::infinity());
      return batch;
    };
  };
  const Outcome alone =
      fit_rank(fit_options({}), scaling, [&](FitConfig& config, Trainer& trainer) {
        config.gradient_accumulation_steps = 4;
        overflow_once(trainer);
      });
  const std::vector<Outcome> two =
      fit_ranks(2, scaling, [&](FitConfig&, Trainer& trainer) { overflow_once(trainer); });
  for (const Outcome& rank : two) {
    ASSERT_TRUE(rank.report.loss_scale.has_value());
    EXPECT_EQ(rank.report.loss_scale->skipped_steps, 1);
    EXPECT_EQ(rank.report.loss_scale->final, alone.report.loss_scale->final);
  }
  expect_equal(two[0], two[1]);
  expect_close(two[0], alone);
}

TEST(DistributedFit, BeginsWithTheWeightsOfRankZero) {
  std::vector<Outcome> two(2);
  on_ranks(2, [&](const Peers& peers) {
    two[static_cast<std::size_t>(peers.rank)] =
        fit_rank(rank_options(peers), {}, [&](FitConfig&, Trainer& trainer) {
          at::NoGradGuard no_grad;
          if (peers.rank == 1) trainer.network.first.fill_(100);
        });
  });
  expect_equal(two[0], two[1]);
  expect_equal(two[0], fit_ranks(2)[0]);
}

TEST(DistributedFit, TheModelsOwnSumsAreThoseOfAllRanks) {
  std::mutex mutex;
  std::vector<double> seen;
  fit_ranks(2, {}, [&](FitConfig& config, Trainer& trainer) {
    config.max_steps = 2;
    auto count = std::make_shared<double>(0);
    trainer.model.begin_step = [count] { *count = 0; };
    trainer.model.begin_micro_batch = [count](int64_t index) {
      *count += static_cast<double>(index);
    };
    trainer.model.sums = [count] { return std::vector<double>{*count}; };
    trainer.model.take_sums = [&](const std::vector<double>& sums) {
      const std::lock_guard guard(mutex);
      seen.push_back(sums.at(0));
    };
  });
  EXPECT_THAT(seen, testing::UnorderedElementsAre(0 + 1 + 2 + 3, 6, 4 + 5 + 6 + 7, 22));
}

TEST(DistributedFit, AStopOfOneRankStopsAllAfterTheSameStepAndResumesToTheSameBits) {
  const TemporaryFolder folder;
  const std::vector<Outcome> whole = fit_ranks(2);
  for (const int asked : {0, 1}) {
    SCOPED_TRACE("rank " + std::to_string(asked) + " is asked");
    const std::filesystem::path cut = folder / ("cut" + std::to_string(asked));
    std::array<std::atomic<bool>, 2> stop{};
    std::atomic<int> interrupted{0};
    on_ranks(2, [&](const Peers& peers) {
      RunOptions options = rank_options(peers, cut);
      options.stop = &stop[static_cast<std::size_t>(peers.rank)];
      Trainer trainer;
      cupel::Run run(std::move(options));
      run.subscribe([&](const Event& event) {
        if (event.kind == Event::Kind::progress && event.done == 12 && peers.rank == asked)
          stop[static_cast<std::size_t>(asked)] = true;
      });
      try {
        fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run);
      } catch (const Interrupted&) {
        ++interrupted;
      }
    });
    EXPECT_EQ(interrupted, 2);
    std::vector<Outcome> resumed(2);
    on_ranks(2, [&](const Peers& peers) {
      resumed[static_cast<std::size_t>(peers.rank)] =
          fit_rank(rank_options(peers, cut, true), {}, {});
    });
    EXPECT_EQ(resumed[0].report.resumed_from, 13) << "the request goes round with the next step";
    EXPECT_EQ(resumed[1].report.resumed_from, 13);
    expect_equal(resumed[0], whole[0]);
    expect_equal(resumed[1], whole[0]);
  }
}

TEST(DistributedFit, ALossThatDivergesSendsAllRanksBackToTheSameCheckpoint) {
  const TemporaryFolder folder;
  std::vector<Outcome> two(2);
  on_ranks(2, [&](const Peers& peers) {
    two[static_cast<std::size_t>(peers.rank)] =
        fit_rank(rank_options(peers, folder / "run"), {}, [](FitConfig&, Trainer& trainer) {
          trainer.data.micro_batch = [](int64_t index) {
            Batch batch = make_batch(index);  // steps of four, 12 to 15 of them on one rank
            if (index >= 48 && index < 64 && index % 2 == 1)
              batch.inputs.fill_(std::numeric_limits<float>::quiet_NaN());
            return batch;
          };
        });
  });
  EXPECT_EQ(two[0].report.steps, 30);
  EXPECT_TRUE(std::isfinite(two[1].report.train_loss));
  expect_equal(two[0], two[1]);
}

TEST(DistributedFit, ACheckpointOfAnotherNumberOfProcessesIsRefused) {
  const TemporaryFolder folder;
  on_ranks(2, [&](const Peers& peers) { fit_rank(rank_options(peers, folder / "run"), {}, {}); });
  EXPECT_THAT([&] { fit_rank(fit_options(folder / "run", true), {}, {}); },
              throws_error(ErrorKind::config,
                           "the checkpoint is of a run with 2 processes and would go on with 1"));
}

TEST(DistributedFit, AHookThatOwnsTheBackwardPassIsSummedToo) {
  FitHooks hooks;
  hooks.gradient.accumulate = [](Batch& batch, const LossFunction& loss, double factor, bool) {
    const at::Tensor sum = loss(batch);
    (sum * factor * 0.5).backward();
    const at::Tensor again = loss(batch);
    (again * factor * 0.5).backward();
    return sum.detach();
  };
  const Change accumulate = [](FitConfig& config, Trainer&) {
    config.gradient_accumulation_steps = 4;
  };
  const Outcome alone = fit_rank(fit_options({}), {}, accumulate, hooks);
  std::vector<Outcome> two(2);
  on_ranks(2, [&](const Peers& peers) {
    two[static_cast<std::size_t>(peers.rank)] = fit_rank(rank_options(peers), {}, {}, hooks);
  });
  expect_equal(two[0], two[1]);
  expect_close(two[0], alone);
}

}  // namespace
}  // namespace cupel::nn
