#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <limits>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/rng.h"
#include "base/run.h"
#include "nn/batch_nn.h"
#include "nn/checkpoint.h"
#include "nn/fit.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/tensors_nn.h"

namespace cupel::nn {
namespace {

constexpr int64_t kRows = 6, kColumns = 5;

/// Two layers with seeded dropout between them, on random regression data.
struct Network : torch::nn::Module {
  Network() {
    Rng rng(11, "weights");
    first = register_parameter("first", random_tensor(rng, {8, kColumns}) * 0.3);
    bias = register_parameter("bias", at::zeros({8}));
    second = register_parameter("second", random_tensor(rng, {1, 8}) * 0.3);
    seen = register_buffer("seen", at::zeros({1}));
  }
  at::Tensor loss(const Batch& batch) {
    at::Tensor hidden = at::tanh(at::linear(batch.inputs, first, bias));
    if (dropout) {
      Rng rng(5, "dropout", static_cast<uint64_t>(micro_batch));
      at::Tensor keep = at::empty_like(hidden);
      for (int64_t i = 0; i < keep.numel(); ++i)
        keep.data_ptr<float>()[i] = rng.uniform() < 0.8 ? 1.25f : 0.0f;
      hidden = hidden * keep;
    }
    return (at::linear(hidden, second).squeeze(1) - batch.labels.to(at::kFloat)).square().sum();
  }
  at::Tensor first, bias, second, seen;
  bool dropout = true;
  int64_t micro_batch = 0;
};

Batch make_batch(int64_t index, int64_t rows = kRows) {
  Rng rng(3, "data", static_cast<uint64_t>(index));
  Batch batch;
  batch.inputs = random_tensor(rng, {rows, kColumns});
  batch.labels = batch.inputs.sum(1).round().to(at::kLong);
  batch.weight = static_cast<double>(rows);
  return batch;
}

struct Trainer {
  Network network;
  FitModel model;
  FitData data;
  Trainer() {
    model.module = &network;
    model.loss = [this](const Batch& batch) { return network.loss(batch); };
    model.begin_micro_batch = [this](int64_t index) { network.micro_batch = index; };
    model.end_step = [this] { network.seen += 1; };
    data.micro_batches_per_epoch = 10;
    data.micro_batch = [](int64_t index) { return make_batch(index); };
    data.validate = [this] { return network.second.detach().abs().sum().item<double>(); };
  }
};

FitConfig small_config() {
  FitConfig config;
  config.max_steps = 30;
  config.gradient_accumulation_steps = 2;
  config.learning_rate = 0.02;
  config.logging_steps = 4;
  config.eval_steps = 7;
  config.save_steps = 5;
  config.save_total_limit = 2;
  return config;
}

RunOptions options_of(const std::filesystem::path& folder, bool resume = false) {
  RunOptions options;
  options.folder = folder;
  options.threads = 1;
  options.resume = resume;
  options.clock = [] { return 0.0; };
  return options;
}

/// metrics.jsonl without the rows whose values are times or rates.
std::string comparable_metrics(const std::filesystem::path& folder) {
  std::string kept;
  std::istringstream lines(read_file(folder / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    if (line.find("step_ms") == std::string::npos && line.find("per_second") == std::string::npos)
      kept += line + "\n";
  }
  return kept;
}

void expect_equal_runs(const std::filesystem::path& a, const std::filesystem::path& b) {
  for (const char* file : {"model.safetensors", "optimizer.safetensors"}) {
    EXPECT_EQ(sha256_file(a / "checkpoint-30" / file), sha256_file(b / "checkpoint-30" / file))
        << file;
  }
  EXPECT_EQ(comparable_metrics(a), comparable_metrics(b));
}

TEST(Fit, LowersTheLoss) {
  Trainer trainer;
  trainer.network.dropout = false;
  const double before = trainer.network.loss(make_batch(1000)).item<double>();
  FitConfig config = small_config();
  config.max_steps = 300;
  cupel::Run run({.threads = 1});
  const FitReport report = fit(config, std::nullopt, trainer.model, trainer.data, {}, run);
  EXPECT_EQ(report.steps, 300);
  EXPECT_LT(trainer.network.loss(make_batch(1000)).item<double>(), 0.3 * before);
  EXPECT_DOUBLE_EQ(report.labels, 300 * 2 * kRows);
}

TEST(Fit, GoesOnToTheSameBitsFromTwentyCutPoints) {
  const TemporaryFolder temporary;
  const std::filesystem::path whole = temporary.path() / "whole";
  {
    Trainer trainer;
    cupel::Run run(options_of(whole));
    fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run);
  }
  Rng rng(20, "cut points");
  for (int i = 0; i < 20; ++i) {
    const auto cut = static_cast<int64_t>(1 + rng.below(29));
    SCOPED_TRACE("cut at step " + std::to_string(cut));
    const std::filesystem::path folder = temporary.path() / std::to_string(i);
    std::atomic<bool> stop = false;
    {
      Trainer trainer;
      RunOptions options = options_of(folder);
      options.stop = &stop;
      cupel::Run run(std::move(options));
      run.subscribe([&](const Event& event) {
        if (event.kind == Event::Kind::progress && event.done == cut) stop = true;
      });
      EXPECT_THROW(fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run),
                   Interrupted);
    }
    Trainer trainer;
    cupel::Run run(options_of(folder, true));
    const FitReport report =
        fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run);
    EXPECT_EQ(report.resumed_from, cut);
    expect_equal_runs(whole, folder);
  }
}

TEST(Fit, GoesOnWithTheScalersStateToo) {
  const TemporaryFolder temporary;
  LossScaleConfig scaling;
  scaling.increment_period = 3;
  scaling.initial = std::ldexp(1.0, 120);  // overflows at first
  const auto train = [&](const std::filesystem::path& folder, int64_t cut) {
    std::atomic<bool> stop = false;
    for (bool resume : {false, true}) {
      Trainer trainer;
      RunOptions options = options_of(folder, resume);
      options.stop = &stop;
      cupel::Run run(std::move(options));
      run.subscribe([&](const Event& event) {
        if (event.kind == Event::Kind::progress && event.done == cut && !resume) stop = true;
      });
      try {
        return fit(small_config(), scaling, trainer.model, trainer.data, {}, run);
      } catch (const Interrupted&) {
        stop = false;
      }
    }
    throw std::logic_error("not reached");
  };
  const FitReport whole = train(temporary.path() / "whole", -1);
  const FitReport cut = train(temporary.path() / "cut", 13);
  ASSERT_TRUE(whole.loss_scale && cut.loss_scale);
  EXPECT_GT(whole.loss_scale->overflows, 0);
  EXPECT_EQ(whole.loss_scale->overflows, cut.loss_scale->overflows);
  EXPECT_EQ(whole.loss_scale->final, cut.loss_scale->final);
  expect_equal_runs(temporary.path() / "whole", temporary.path() / "cut");
}

TEST(Fit, AScaleOfAPowerOfTwoChangesNoBit) {
  Trainer plain, scaled;
  const FitConfig config = small_config();
  LossScaleConfig scaling;
  scaling.initial = 1024;
  cupel::Run a({.threads = 1}), b({.threads = 1});
  fit(config, std::nullopt, plain.model, plain.data, {}, a);
  fit(config, scaling, scaled.model, scaled.data, {}, b);
  EXPECT_TRUE(at::equal(plain.network.first, scaled.network.first));
}

TEST(Fit, AnySplitOfAStepsBatchGivesTheSameGradientToOneInAMillion) {
  const Batch whole = make_batch(0, 12);
  const auto weights_after_one_step = [&](const std::vector<int64_t>& sizes) {
    Trainer trainer;
    trainer.network.dropout = false;
    FitConfig config = small_config();
    config.max_steps = 1;
    config.warmup_steps = 0;
    config.gradient_accumulation_steps = static_cast<int64_t>(sizes.size());
    config.save_steps = 0;
    trainer.data.micro_batch = [&](int64_t index) {
      int64_t begin = 0;
      for (int64_t i = 0; i < index; ++i) begin += sizes[static_cast<std::size_t>(i)];
      const int64_t size = sizes[static_cast<std::size_t>(index)];
      return Batch{whole.inputs.narrow(0, begin, size),
                   whole.labels.narrow(0, begin, size),
                   {},
                   {},
                   {},
                   static_cast<double>(size)};
    };
    std::vector<at::Tensor> gradients;
    trainer.model.end_step = [&] {
      for (const at::Tensor& p : trainer.network.parameters())
        gradients.push_back(p.grad().clone());
    };
    cupel::Run run({.threads = 1});
    fit(config, std::nullopt, trainer.model, trainer.data, {}, run);
    return gradients;
  };
  const auto expected = weights_after_one_step({12});
  for (const std::vector<int64_t>& sizes :
       {std::vector<int64_t>{6, 6}, {1, 11}, {3, 4, 5}, {2, 2, 2, 2, 2, 2}}) {
    const auto split = weights_after_one_step(sizes);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double scale = expected[i].abs().max().item<double>();
      EXPECT_LE((split[i] - expected[i]).abs().max().item<double>(), 1e-6 * scale + 1e-9);
    }
  }
}

TEST(Fit, KeepsTheLastCheckpointsOnly) {
  const TemporaryFolder temporary;
  Trainer trainer;
  cupel::Run run(options_of(temporary.path() / "run"));
  fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run);
  std::vector<int64_t> steps;
  for (const CheckpointFolder& found : list_checkpoints(run.folder())) steps.push_back(found.step);
  EXPECT_THAT(steps, testing::ElementsAre(25, 30));
}

TEST(Fit, PassesOverADamagedCheckpoint) {
  const TemporaryFolder temporary;
  const std::filesystem::path folder = temporary.path() / "run";
  {
    Trainer trainer;
    cupel::Run run(options_of(folder));
    fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run);
  }
  std::filesystem::resize_file(folder / "checkpoint-30" / "model.safetensors", 100);
  Trainer trainer;
  cupel::Run run(options_of(folder, true));
  const FitReport report = fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run);
  EXPECT_EQ(report.resumed_from, 25);
}

TEST(Fit, GoesBackToItsCheckpointWhenTheLossDivergesAndPassesTheBatchesOver) {
  const TemporaryFolder temporary;
  Trainer trainer;
  trainer.data.micro_batch = [](int64_t index) {
    Batch batch = make_batch(index);
    if (index >= 24 && index < 30) batch.inputs.fill_(std::numeric_limits<float>::quiet_NaN());
    return batch;
  };
  cupel::Run run(options_of(temporary.path() / "run"));
  const FitReport report = fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run);
  EXPECT_EQ(report.steps, 30);
  EXPECT_TRUE(trainer.network.first.isfinite().all().item<bool>());
}

TEST(Fit, SavesNoCheckpointAmidADivergence) {
  const TemporaryFolder temporary;
  Trainer trainer;
  trainer.data.micro_batch = [](int64_t index) {
    Batch batch = make_batch(index);
    if (index >= 18 && index < 24) batch.inputs.fill_(std::numeric_limits<float>::quiet_NaN());
    return batch;
  };
  FitConfig config = small_config();
  config.loss_watchdog_patience = 3;  // steps 10, 11 and 12
  config.save_total_limit = 100;
  cupel::Run run(options_of(temporary.path() / "run"));
  std::vector<int64_t> saved_before_return;
  run.subscribe([&](const Event& event) {
    if (event.kind != Event::Kind::log || event.level != LogLevel::warning) return;
    for (const auto& found : list_checkpoints(run.folder()))
      saved_before_return.push_back(found.step);
  });
  fit(config, std::nullopt, trainer.model, trainer.data, {}, run);
  EXPECT_THAT(saved_before_return, testing::ElementsAre(5));
}

TEST(Fit, ARunKilledAfterItsLastSaveKeepsTheModelsFiguresAndTheLimitOfCheckpoints) {
  const TemporaryFolder temporary;
  const std::filesystem::path folder = temporary.path() / "run";
  FitConfig config = small_config();
  config.save_total_limit = 3;
  int64_t figure = 7;
  Trainer trainer;
  trainer.model.state = [&] { return json::Object{{"figure", figure}}; };
  trainer.model.restore = [&](const json::Value& state) {
    figure = state.at("figure", "").as_int("");
  };
  trainer.data.validate = [] { return std::numeric_limits<double>::quiet_NaN(); };
  {
    cupel::Run run(options_of(folder));
    fit(config, std::nullopt, trainer.model, trainer.data, {}, run);
  }
  figure = 0;
  config.save_total_limit = 2;  // the third is what the killed run had no time to delete
  cupel::Run run(options_of(folder, true));
  const FitReport report = fit(config, std::nullopt, trainer.model, trainer.data, {}, run);
  EXPECT_EQ(report.resumed_from, 30);
  EXPECT_EQ(figure, 7);
  EXPECT_EQ(list_checkpoints(folder).size(), 2u);
}

TEST(Fit, EndsWithARemedyWhenEveryLossIsNan) {
  const TemporaryFolder temporary;
  Trainer trainer;
  trainer.data.micro_batch = [](int64_t index) {
    Batch batch = make_batch(index);
    if (index >= 12) batch.inputs.fill_(std::numeric_limits<float>::quiet_NaN());
    return batch;
  };
  cupel::Run run(options_of(temporary.path() / "run"));
  EXPECT_THAT([&] { fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run); },
              throws_error(ErrorKind::numeric, "lower learning_rate"));
}

TEST(Fit, AStopAmidAValidationIsSavedAndThatValidationMadeUpFor) {
  const TemporaryFolder temporary;
  const std::filesystem::path whole = temporary.path() / "whole";
  std::optional<double> val_loss;
  {
    Trainer trainer;
    cupel::Run run(options_of(whole));
    val_loss = fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run).val_loss;
  }
  for (const auto& [validation, step] : {std::pair{1, 7}, std::pair{5, 30}}) {
    SCOPED_TRACE("stopped in step " + std::to_string(step));
    const std::filesystem::path folder = temporary.path() / std::to_string(step);
    {
      Trainer trainer;
      int calls = 0;
      trainer.data.validate = [&, validate = trainer.data.validate, last = validation] {
        if (++calls == last) throw Interrupted();
        return validate();
      };
      cupel::Run run(options_of(folder));
      EXPECT_THROW(fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run),
                   Interrupted);
    }
    Trainer trainer;
    cupel::Run run(options_of(folder, true));
    const FitReport report =
        fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run);
    EXPECT_EQ(report.resumed_from, step);
    EXPECT_EQ(report.val_loss, val_loss);
    expect_equal_runs(whole, folder);
  }
}

}  // namespace
}  // namespace cupel::nn
