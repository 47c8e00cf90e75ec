// `plan`: what each stage of a recipe will need, and whether this machine has it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/verbs.h"
#include "train/plan.h"

namespace cupel::pipeline {

struct StagePlan {
  std::string stage;
  std::optional<train::Plan> train;  // null for a stage that trains nothing
  std::optional<double> estimated_seconds;
  static constexpr auto fields() {
    using C = StagePlan;
    return std::tuple{Field{"stage", &C::stage, "section of the recipe"},
                      Field{"train", &C::train, "model, steps and memory"},
                      Field{"estimated_seconds", &C::estimated_seconds,
                            "of its steps, from the speed of matrix products measured here; good "
                            "to a factor of about two"}};
  }
};

struct PlanReport {
  std::vector<StagePlan> stages;
  int64_t available_bytes = 0, free_disk_bytes = 0;
  bool fits = true;
  static constexpr auto fields() {
    using C = PlanReport;
    return std::tuple{
        Field{"stages", &C::stages, "in order"},
        Field{"available_bytes", &C::available_bytes, "memory to be had without swapping"},
        Field{"free_disk_bytes", &C::free_disk_bytes, "where the run folder would be"},
        Field{"fits", &C::fits, "every stage's plan is within the memory available"}};
  }
  std::string text() const;
};

/// Reads data only where the number of steps or the vocabulary depends on it.
PlanReport plan(const NoSettings& settings, const Request& request);

}  // namespace cupel::pipeline
