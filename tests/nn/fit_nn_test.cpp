#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <limits>
#include <sstream>

#include "base/atomic_file.h"
#include "base/error.h"
#include "kernels/kernels.h"
#include "nn/checkpoint.h"
#include "support/files.h"
#include "support/small_fit_nn.h"

namespace cupel::nn {
namespace {

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

/// The small problem, trained in `folder` to its end.
FitReport fit_in(const std::filesystem::path& folder, bool resume = false) {
  Trainer trainer;
  cupel::Run run(fit_options(folder, resume));
  return fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run);
}

TEST(Fit, GoesOnToTheSameBitsFromTwentyCutPoints) {
  const TemporaryFolder temporary;
  const std::filesystem::path whole = temporary.path() / "whole";
  fit_in(whole);
  Rng rng(20, "cut points");
  for (int i = 0; i < 20; ++i) {
    const auto cut = static_cast<int64_t>(1 + rng.below(29));
    SCOPED_TRACE("cut at step " + std::to_string(cut));
    const std::filesystem::path folder = temporary.path() / std::to_string(i);
    std::atomic<bool> stop = false;
    {
      Trainer trainer;
      RunOptions options = fit_options(folder);
      options.stop = &stop;
      cupel::Run run(std::move(options));
      run.subscribe([&](const Event& event) {
        if (event.kind == Event::Kind::progress && event.done == cut) stop = true;
      });
      EXPECT_THROW(fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run),
                   Interrupted);
    }
    const FitReport report = fit_in(folder, true);
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
      RunOptions options = fit_options(folder, resume);
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
  cupel::Run run(fit_options(temporary.path() / "run"));
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
    cupel::Run run(fit_options(folder));
    fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run);
  }
  std::filesystem::resize_file(folder / "checkpoint-30" / "model.safetensors", 100);
  Trainer trainer;
  cupel::Run run(fit_options(folder, true));
  const FitReport report = fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run);
  EXPECT_EQ(report.resumed_from, 25);
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
    cupel::Run run(fit_options(folder));
    fit(config, std::nullopt, trainer.model, trainer.data, {}, run);
  }
  figure = 0;
  config.save_total_limit = 2;  // the third is what the killed run had no time to delete
  cupel::Run run(fit_options(folder, true));
  const FitReport report = fit(config, std::nullopt, trainer.model, trainer.data, {}, run);
  EXPECT_EQ(report.resumed_from, 30);
  EXPECT_EQ(figure, 7);
  EXPECT_EQ(list_checkpoints(folder).size(), 2u);
}

TEST(Fit, ResumingRemovesTheCheckpointsAfterTheOneItGoesOnFrom) {
  const TemporaryFolder temporary;
  const std::filesystem::path folder = temporary / "run";
  FitConfig config = small_config();
  config.save_total_limit = 4;
  {
    Trainer trainer;
    cupel::Run run(fit_options(folder));
    fit(config, std::nullopt, trainer.model, trainer.data, {}, run);
  }
  for (const char* name : {"checkpoint-30", "checkpoint-25", "checkpoint-20"})
    std::filesystem::resize_file(folder / name / "model.safetensors", 100);
  config.save_total_limit = 1;
  Trainer trainer;
  cupel::Run run(fit_options(folder, true));
  std::vector<std::string> removed;
  std::vector<std::size_t> kept;
  run.subscribe([&](const Event& event) {
    if (event.kind == Event::Kind::section_end) kept.push_back(list_checkpoints(folder).size());
    if (event.kind == Event::Kind::log && event.text.find("is removed") != std::string::npos)
      removed.emplace_back(event.text);
  });
  const FitReport report = fit(config, std::nullopt, trainer.model, trainer.data, {}, run);
  EXPECT_EQ(report.resumed_from, 15);
  EXPECT_THAT(removed,
              testing::ElementsAre("checkpoint-20 is removed: the run goes on from step 15",
                                   "checkpoint-25 is removed: the run goes on from step 15",
                                   "checkpoint-30 is removed: the run goes on from step 15"));
  EXPECT_THAT(kept, testing::ElementsAre(1, 1, 1)) << "after every save";
}

TEST(Fit, AStepWithoutLabelsChangesNothing) {
  Trainer trainer;
  at::Tensor before;
  trainer.data.micro_batch = [&](int64_t index) {
    Batch batch = make_batch(index);
    if (index == 6) before = trainer.network.first.detach().clone();
    if (index == 8) {
      EXPECT_TRUE(at::equal(trainer.network.first, before));
    }
    if (index == 6 || index == 7) batch.weight = 0;
    return batch;
  };
  FitConfig config = small_config();
  config.logging_steps = 1;
  config.loss_watchdog_patience = 1;
  LossScaleConfig scaling;
  scaling.initial = 1024;
  cupel::Run run({.threads = 1});
  std::vector<double> losses;
  run.subscribe([&](const Event& event) {
    if (event.kind == Event::Kind::metric && event.name == "loss") losses.push_back(event.value);
  });
  const FitReport report = fit(config, scaling, trainer.model, trainer.data, {}, run);
  EXPECT_EQ(report.steps, 30);
  EXPECT_EQ(report.labels, 29 * 2 * kRows);
  EXPECT_EQ(report.loss_scale->final, 1024);
  EXPECT_EQ(report.loss_scale->skipped_steps, 0);
  EXPECT_EQ(trainer.network.seen.item<float>(), 29);
  ASSERT_EQ(losses.size(), 30u);
  for (std::size_t i = 0; i < losses.size(); ++i) EXPECT_EQ(std::isnan(losses[i]), i == 3) << i;
}

TEST(Fit, CountsEveryTokenOfABatchInItsRate) {
  Trainer trainer;
  trainer.data.micro_batch = [](int64_t index) {
    Batch batch = make_batch(index);
    batch.weight = 1;  // the others are padding
    return batch;
  };
  FitConfig config = small_config();
  config.logging_steps = 5;
  cupel::Run run({.threads = 1});
  double tokens = 0, ms = 0;
  run.subscribe([&](const Event& event) {
    if (event.kind != Event::Kind::metric) return;
    if (event.name == "step_ms") ms = event.value;
    if (event.name == "tokens_per_second") tokens = event.value * ms / 1e3;
  });
  const FitReport report = fit(config, std::nullopt, trainer.model, trainer.data, {}, run);
  EXPECT_NEAR(tokens, 2 * kRows, 1e-6) << "of a step";
  EXPECT_GT(report.tokens_per_second, 0);
}

TEST(Fit, WarnsWhenItGoesOnInAnotherArithmetic) {
  const TemporaryFolder temporary;
  const auto warnings = [&](Precision compute, bool resume) {
    Trainer trainer;
    trainer.model.compute = compute;
    cupel::Run run(fit_options(temporary / "run", resume));
    std::vector<std::string> found;
    run.subscribe([&](const Event& event) {
      if (event.kind == Event::Kind::log && event.level == LogLevel::warning)
        found.emplace_back(event.text);
    });
    fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run);
    return found;
  };
  warnings(Precision::bf16, false);
  EXPECT_THAT(warnings(Precision::bf16, true), testing::IsEmpty());
  EXPECT_THAT(
      warnings(Precision::fp32, true),
      testing::ElementsAre("the checkpoint was made with precision bf16 and the run goes on "
                           "with fp32: it is no longer bit for bit the run that was not "
                           "interrupted"));
  const std::filesystem::path state = temporary / "run/checkpoint-30/state.json";
  const json::Value kept = json::parse(read_file(state), "");
  EXPECT_EQ(kept.at("isa_row", "").as_string(""), kernels().name);
}

TEST(Fit, AStopAmidAValidationIsSavedAndThatValidationMadeUpFor) {
  const TemporaryFolder temporary;
  const std::filesystem::path whole = temporary.path() / "whole";
  const std::optional<double> val_loss = fit_in(whole).val_loss;
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
      cupel::Run run(fit_options(folder));
      EXPECT_THROW(fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run),
                   Interrupted);
    }
    const FitReport report = fit_in(folder, true);
    EXPECT_EQ(report.resumed_from, step);
    EXPECT_EQ(report.val_loss, val_loss);
    expect_equal_runs(whole, folder);
  }
}

}  // namespace
}  // namespace cupel::nn
