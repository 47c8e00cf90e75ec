#include "support/sample_run.h"

#include "base/atomic_file.h"
#include "base/json.h"
#include "base/run.h"

namespace cupel {

namespace fs = std::filesystem;

namespace {

constexpr const char* kState = "state.json";

RunOptions sample_options(const fs::path& folder, bool resume) {
  RunOptions options;
  options.folder = folder;
  options.recipe = options.config = "steps: 6\n";
  options.seed = 3;
  options.threads = 1;
  options.resume = resume;
  options.clock = [] { return 1.5; };
  options.needed_bytes = 1;
  return options;
}

int newest_step(const fs::path& folder) {
  int newest = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("checkpoint-")) newest = std::max(newest, std::stoi(name.substr(11)));
  }
  return newest;
}

std::string checkpoint_name(int step) { return "checkpoint-" + std::to_string(step); }

void save(Run& run, int step, double state) {
  const json::Value value = json::Object{{"state", state}, {"metrics", run.sync_metrics()}};
  run.write_folder(checkpoint_name(step), [&](const fs::path& staging) {
    write_file_atomically(staging / kState, json::dump(value));
  });
  for (int old = 1; old < step; ++old) run.remove(checkpoint_name(old));
}

}  // namespace

bool sample_run(const fs::path& folder, bool resume, int steps, const volatile bool* stop) {
  Run run(sample_options(folder, resume));
  const int begin = newest_step(run.folder());
  double state = 0;
  if (begin > 0) {
    const json::Value saved =
        json::parse(read_file(run.folder() / checkpoint_name(begin) / kState), "checkpoint");
    state = saved.at("state", "").as_double("state");
    run.cut_metrics(saved.at("metrics", "").as_int("metrics"));
  } else {
    run.cut_metrics(0);
  }
  for (int step = begin + 1; step <= steps; ++step) {
    state += run.stream("walk", static_cast<uint64_t>(step)).normal();
    run.metric("state", step, state);
    const bool stopping = stop && *stop;
    if (stopping || step % 2 == 0) save(run, step, state);
    if (stopping) return false;
  }
  run.write_folder("model", [&](const fs::path& staging) {
    write_file_atomically(staging / "weights", json::dump(state));
  });
  run.finish("walk", json::Object{{"state", state}});
  return true;
}

std::string sample_run_bytes(const fs::path& folder) {
  std::string all;
  for (const char* name : {"recipe.yaml", "config.yaml", "metrics.jsonl", "model/weights",
                           "report.json", "manifest.json"}) {
    all += std::string(name) + ":\n" + read_file(folder / name);
  }
  return all;
}

}  // namespace cupel
