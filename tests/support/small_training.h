// Trainings of a dozen steps, and what must be equal in two of them.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "base/config_doc.h"
#include "train/train.h"

namespace cupel::train {

/// Twelve steps in fp32, saved after every fourth.
inline Config twelve_steps() {
  Config config;
  config.sequence_len = 32;
  config.micro_batch_size = 4;
  config.max_steps = 12;
  config.learning_rate = 5e-3;
  config.logging_steps = 3;
  config.eval_steps = 6;
  config.save_steps = 4;
  config.val_set_size = 0.1;
  config.precision = nn::Precision::fp32;
  return config;
}

inline RunOptions options_of(const std::filesystem::path& folder, bool resume = false) {
  RunOptions options;
  options.folder = folder;
  options.seed = 3;
  options.threads = 2;
  options.resume = resume;
  options.clock = [] { return 0.0; };
  return options;
}

/// `said`: receives what is logged.
inline Report train_in(const Config& config, const RunOptions& options,
                       const nn::FitHooks& hooks = {}, std::vector<std::string>* said = nullptr) {
  cupel::Run run(options);
  run.subscribe([&](const Event& event) {
    if (said != nullptr && event.kind == Event::Kind::log) said->emplace_back(event.text);
  });
  const Report report = train::run(config, hooks, run);
  if (run.has_folder()) run.finish("train", to_json(report));
  return report;
}

/// A run in `folder` that is asked to stop once `step` is done.
inline void train_until(int64_t step, const Config& config, const std::filesystem::path& folder) {
  std::atomic<bool> stop{false};
  RunOptions options = options_of(folder);
  options.stop = &stop;
  cupel::Run run(options);
  run.subscribe([&](const Event& event) {
    if (event.kind == Event::Kind::progress && event.done == step) stop = true;
  });
  EXPECT_THROW(train::run(config, {}, run), Interrupted);
}

/// Everything that must be equal in two runs: weights (the file that is left in model/), the last
/// checkpoint of twelve_steps(), metrics apart from rates.
inline std::string comparable(const std::filesystem::path& folder,
                              std::string_view weights = "model.safetensors") {
  std::string all = sha256_file(folder / "model" / weights) +
                    sha256_file(folder / "checkpoint-12/model.safetensors") +
                    sha256_file(folder / "checkpoint-12/optimizer.safetensors");
  std::istringstream lines(read_file(folder / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    if (line.find("step_ms") == std::string::npos && line.find("per_second") == std::string::npos)
      all += "\n" + line;
  }
  return all;
}

/// Trains each, in a folder of its own, and holds the plan against the peak.
inline void expect_plans_within_a_tenth(const std::vector<Config>& configs,
                                        const std::filesystem::path& folder) {
  for (std::size_t i = 0; i < configs.size(); ++i) {
    const Report report = train_in(configs[i], options_of(folder / ("run" + std::to_string(i))));
    const auto planned = static_cast<double>(report.planned_memory_bytes);
    const auto measured = static_cast<double>(report.peak_tensor_bytes);
    EXPECT_NEAR(planned / measured, 1, 0.1)
        << "config " << i << ": planned " << planned << ", measured " << measured;
  }
}

}  // namespace cupel::train
