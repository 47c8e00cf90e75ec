// Runs the stages of a request in one run folder: resume, the error boundary, reports.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "pipeline/recipe.h"

namespace cupel::pipeline {

struct Executed {
  std::filesystem::path folder;
  json::Value report;              // one key a stage, as in report.json
  std::vector<std::string> texts;  // a stage each: what people read in its place, or empty
  int exit_code = 0;               // the first that is not 0
};

/// The folder that --out names, or runs/<verb>-<UTC>-<4 hex>.
std::filesystem::path run_folder(const Request& request);

/// Stage after stage. A stage that a resumed run has finished, with its outputs unchanged, is not
/// run again; one that has no outputs, such as `claims`, always is. Throws Interrupted where a
/// stage did, or between two; everything else as Error: what LibTorch throws as Error{external},
/// memory that could not be had as Error{resource}, an input that changed since the run began as
/// Error{config}. One of several processes (Request::ranks) that is not rank 0 takes part in the
/// trainings alone, has no folder, and returns no report.
Executed execute(const Request& request, const std::filesystem::path& folder);

/// Whether the request's verb or one of its stages needs the program with LibTorch, which this one
/// may not be.
bool needs_heavy_program(const Request& request);

}  // namespace cupel::pipeline
