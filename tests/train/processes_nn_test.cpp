// Two processes train a language model as one does with twice the accumulation.
#include <gtest/gtest.h>

#include <atomic>

#include "base/config_doc.h"
#include "data/safetensors.h"
#include "nn/device_nn.h"
#include "support/files.h"
#include "support/ranks_nn.h"
#include "support/tensors_nn.h"
#include "support/tiny_mixture.h"
#include "train/train.h"

namespace cupel::train {
namespace {

constexpr int64_t kSteps = 20;
/// Sums come in another order, and AdamW divides by the root of what may be nearly zero: after
/// twenty steps the weights of one process and of two are this close, over the largest of a tensor.
constexpr double kTolerance = 2e-3;

Config small_config(nn::Precision precision) {
  Config config;
  config.model = tiny_mixture();
  config.tokenizer.vocab_size = 300;
  config.datasets.resize(1);
  config.datasets[0].type = DatasetType::arithmetic;
  config.datasets[0].rows = 300;
  config.sequence_len = 32;
  config.micro_batch_size = 2;
  config.max_steps = kSteps;
  config.learning_rate = 1e-3;
  config.logging_steps = 5;
  config.eval_steps = 10;
  config.save_steps = 0;
  config.val_set_size = 0.1;
  config.dropout = 0.1;
  config.precision = precision;
  return config;
}

RunOptions options_in(const std::filesystem::path& folder) {
  RunOptions options;
  options.folder = folder;
  options.seed = 3;
  options.threads = 1;
  return options;
}

Report train_ranked(const Config& config, RunOptions options) {
  cupel::Run run(std::move(options));
  return train::run(config, {}, run);
}

/// Rank 0's report of two ranks, whose run is in `folder`.
Report train_by_two(const Config& config, const std::filesystem::path& folder) {
  Report first;
  on_ranks(2, [&](const Peers& peers) {
    RunOptions options = options_in(peers.rank == 0 ? folder : std::filesystem::path());
    options.peers = peers;
    const Report report = train_ranked(config, std::move(options));
    if (peers.rank == 0) first = report;
  });
  return first;
}

struct Compared {
  Report one, two;
  double gap = 0;       // largest of a tensor
  double bias_gap = 0;  // of a router's bias, in steps of router_bias_update_rate
};

Compared compare(Config config) {
  const TemporaryFolder folder;
  Compared compared;
  compared.two = train_by_two(config, folder / "two");
  config.gradient_accumulation_steps *= 2;
  compared.one = train_ranked(config, options_in(folder / "one"));
  const Safetensors one = Safetensors::open(folder / "one/model/model.safetensors");
  const Safetensors two = Safetensors::open(folder / "two/model/model.safetensors");
  EXPECT_EQ(one.tensors().size(), two.tensors().size());
  for (const TensorEntry& entry : one.tensors()) {
    const at::Tensor a = read_tensor(one, entry.name), b = read_tensor(two, entry.name);
    if (entry.name.find("e_score_correction_bias") != std::string::npos) {
      const double steps = (a - b).abs().max().item<double>() / config.router_bias_update_rate;
      compared.bias_gap = std::max(compared.bias_gap, steps);
    } else {
      compared.gap = std::max(compared.gap, relative_gap(b, a));
    }
  }
  return compared;
}

TEST(TrainProcesses, TwoGiveAMixtureOfExpertsTheWeightsOfOneWithTwiceTheAccumulation) {
  const Compared compared = compare(small_config(nn::Precision::fp32));
  EXPECT_LE(compared.gap, kTolerance);
  // A token whose two best experts score alike may go to the other one.
  EXPECT_LE(compared.bias_gap, 2.001);
  EXPECT_EQ(compared.two.world_size, 2);
  EXPECT_EQ(compared.two.tokens, compared.one.tokens);
  EXPECT_NEAR(compared.two.train_loss, compared.one.train_loss, 1e-3);
  EXPECT_NEAR(*compared.two.val_loss, *compared.one.val_loss, 1e-3);
  EXPECT_NEAR(compared.two.max_expert_load, compared.one.max_expert_load, 0.05);
}

TEST(TrainProcesses, TwoScaleTheLossOfFp16AsOneDoes) {
  Config config = small_config(nn::Precision::fp16);
  config.loss_scale.emplace();
  config.loss_scale->initial = 1e9;  // overflows at first
  config.loss_scale->increment_period = 5;
  const Compared compared = compare(config);
  EXPECT_LE(compared.gap, 10 * kTolerance);  // products are rounded to 11 bits
  ASSERT_TRUE(compared.two.loss_scale.has_value());
  EXPECT_GT(compared.two.loss_scale->overflows, 0);
  EXPECT_EQ(compared.two.loss_scale->final, compared.one.loss_scale->final);
  EXPECT_EQ(compared.two.loss_scale->overflows, compared.one.loss_scale->overflows);
}

TEST(TrainProcesses, AStopBeforeTheFirstStepInterruptsAll) {
  std::atomic<bool> stop{true}, go_on{false};
  std::atomic<int> interrupted{0};
  on_ranks(2, [&](const Peers& peers) {
    RunOptions options = options_in({});
    options.peers = peers;
    options.stop = peers.rank == 1 ? &stop : &go_on;
    try {
      train_ranked(small_config(nn::Precision::fp32), std::move(options));
    } catch (const Interrupted&) {
      ++interrupted;
    }
  });
  EXPECT_EQ(interrupted, 2);
}

}  // namespace
}  // namespace cupel::train
