// A run of curate, and what it leaves behind.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/config_doc.h"
#include "curate/curate.h"

namespace cupel::curate {

inline RunOptions options_in(const std::filesystem::path& folder, int threads = 1) {
  RunOptions options;
  options.folder = folder;
  options.threads = threads;
  options.clock = [] { return 0.0; };
  return options;
}

struct Result {
  Report report;
  std::string kept, decisions, rejects;
};

inline std::string text_of(const std::filesystem::path& path) {
  return std::filesystem::exists(path) ? read_file(path) : "";
}

inline Result curate(const Config& config, const std::filesystem::path& folder, int threads = 1) {
  cupel::Run run(options_in(folder, threads));
  Result result;
  result.report = cupel::curate::run(config, run);
  run.finish("curate", to_json(result.report));
  result.kept = text_of(folder / "kept.jsonl");
  result.decisions = text_of(folder / "decisions.jsonl");
  result.rejects = text_of(folder / "rejects.jsonl");
  return result;
}

inline Config config_of(const std::vector<std::filesystem::path>& files) {
  Config config;
  for (const std::filesystem::path& file : files) config.input.push_back({file.string()});
  config.format = FormatConfig{5, 100};
  return config;
}

}  // namespace cupel::curate
