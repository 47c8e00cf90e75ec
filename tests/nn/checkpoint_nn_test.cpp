#include "nn/checkpoint_nn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/checkpoint.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::nn {
namespace {

struct Module : torch::nn::Module {
  explicit Module(int64_t size) {
    weight = register_parameter("weight", at::arange(size, at::kFloat));
    count = register_buffer("count", at::zeros({1}, at::kLong));
  }
  at::Tensor weight, count;
};

RunOptions options_of(const TemporaryFolder& temporary) {
  RunOptions options;
  options.folder = temporary / "run";
  return options;
}

TEST(CheckpointNn, RestoresParametersBuffersMomentsAndState) {
  const TemporaryFolder temporary;
  cupel::Run run(options_of(temporary));
  Module saved(5), restored(5);
  AdamW optimizer(saved, {}), other(restored, {});
  saved.count.fill_(7);
  optimizer.parameters()[0].first_moment.fill_(0.25);
  save_checkpoint(run, 3, saved, optimizer, json::Object{{"step", 3}});
  {
    at::NoGradGuard no_grad;
    restored.weight.zero_();
  }
  const json::Value state = load_checkpoint(run.folder() / "checkpoint-3", restored, other);
  EXPECT_EQ(state.at("step", "").as_int(""), 3);
  EXPECT_TRUE(at::equal(restored.weight, saved.weight));
  EXPECT_EQ(restored.count.item<int64_t>(), 7);
  EXPECT_TRUE(
      at::equal(other.parameters()[0].first_moment, optimizer.parameters()[0].first_moment));
}

TEST(CheckpointNn, ListsWhatAnotherModelLacks) {
  const TemporaryFolder temporary;
  cupel::Run run(options_of(temporary));
  Module saved(5), other(6);
  AdamW optimizer(saved, {}), other_optimizer(other, {});
  save_checkpoint(run, 1, saved, optimizer, json::Object{});
  EXPECT_THAT([&] { load_checkpoint(run.folder() / "checkpoint-1", other, other_optimizer); },
              throws_error(ErrorKind::config, "other shape weight"));
}

}  // namespace
}  // namespace cupel::nn
