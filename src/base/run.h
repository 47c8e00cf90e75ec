// A run: its folder, random seed, streams of randomness, metrics, progress and the request to stop.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/machine.h"
#include "base/parallel.h"
#include "base/rng.h"

namespace cupel {

namespace nn {
class Group;  // nn/distributed_nn.h
}

/// The processes that carry out one run together. Rank 0 has the folder; the others are given a run
/// without one.
struct Peers {
  int rank = 0, size = 1;
  int local_size = 1;                  // that share this one's cores
  std::shared_ptr<nn::Group> group{};  // null: this process is alone
};

enum class LogLevel { debug, info, warning };

/// What a run tells its sinks. Texts live only during the call.
struct Event {
  enum class Kind { metric, progress, log, section_begin, section_end };
  Kind kind;
  std::string_view name = {};  // metric or section
  int64_t step = 0;            // metric
  double value = 0;            // metric; seconds of a section that ended
  int64_t done = 0, total = 0;
  LogLevel level = LogLevel::info;
  std::string_view text = {};  // log, note beside the progress
};

/// Called on the thread that reports, one event at a time; it must not report itself.
using Sink = std::function<void(const Event&)>;

/// An input row that was not taken. Expected outcomes are values: nothing is thrown.
struct Reject {
  std::string input;  // file
  int64_t line = 0;   // from 1
  std::string rule;   // stable id, as in "json", "utf8", "line_too_long"
  std::string text;   // the row, clipped to 200 characters
};

struct RunOptions {
  std::filesystem::path folder{};  // empty: nothing is written
  std::string recipe{};            // recipe.yaml as given
  std::string config{};            // config.yaml, resolved
  uint64_t seed = 0;
  int threads = 0;                          // 0: this process's part of what the machine gives
  bool resume = false;                      // go on in an existing folder
  const std::atomic<bool>* stop = nullptr;  // set by a signal handler
  std::function<double()> clock{};          // seconds since 1970; empty: the system's
  int64_t needed_bytes = INT64_C(1) << 20;  // free disk without which the run does not begin
  Peers peers{};
};

class Run {
 public:
  /// Makes the folder and locks it (pid, its start time, boot id). With `resume` a folder that is
  /// missing or empty is begun, so a script may always pass it. Throws Error{config} if the folder
  /// holds a run and `resume` is not set, if another process holds it, or if the resolved config
  /// differs from the one it was begun with; Error{resource} if the disk is too full to begin.
  explicit Run(RunOptions options);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  const std::filesystem::path& folder() const;
  bool has_folder() const;
  bool resuming() const;
  uint64_t seed() const;
  int threads() const;
  const Peers& peers() const;
  ThreadPool& pool();
  /// A stream of randomness of its own for each (purpose, index).
  Rng stream(std::string_view purpose, uint64_t index = 0) const;

  /// `sink` hears of what follows, after the sinks before it.
  void subscribe(Sink sink);
  /// Goes to metrics.jsonl and every sink. Not finite: written as null, seen as it is by the sinks.
  void metric(std::string_view name, int64_t step, double value);
  /// To the sinks alone: `done` of `total` steps, and the figure that matters.
  void progress(int64_t done, int64_t total, std::string_view note = {});
  /// To log.jsonl and every sink.
  void log(LogLevel level, std::string_view text);
  /// Row of rejects.jsonl; the text is clipped to 200 characters. The same row (input, line, rule)
  /// given again, by a second pass or after a resume, is written and counted once.
  void reject(const Reject& reject);
  int64_t rejected() const;

  /// Times and nests by scope.
  class Section {
   public:
    Section(Run& run, std::string name);
    ~Section();
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;

   private:
    Run& run_;
    std::string name_;
    double begin_;
  };
  Section section(std::string name) { return Section(*this, std::move(name)); }

  bool stop_requested() const;
  /// Throws Interrupted if somebody has.
  void stop_if_asked() const;
  /// For a run inside this one; null if nobody can ask.
  const std::atomic<bool>* stop_flag() const;
  double seconds() const;  // since the run began, on the steady clock
  double time() const;     // seconds since 1970, as the options' clock has it

  /// Outputs, atomically; names are relative to the folder. No-ops in a run without a folder. What
  /// fails throws as base/atomic_file.h does: Error{resource} for a full disk or a folder that was
  /// removed meanwhile, Error{config} for a place that is not ours to write.
  void write(std::string_view name, std::string_view bytes);
  void write_folder(std::string_view name,
                    const std::function<void(const std::filesystem::path&)>& fill);
  void remove(std::string_view name);
  /// Records an input's SHA-256 in the manifest, at once; of a folder, every file's. Throws
  /// Error{config} for a file that cannot be read.
  void record_input(const std::filesystem::path& path);
  /// A further entry of the manifest, as in ("isa_row", "avx2").
  void set_manifest(std::string key, json::Value value);

  /// All logs go safely to disk; bytes of metrics.jsonl there, to be stored in a checkpoint …
  int64_t sync_metrics();
  /// … and the cut on resume: everything after `position` is dropped.
  void cut_metrics(int64_t position);

  /// report.json (merged by verb over a run's stages), then manifest.json with the SHA-256 of every
  /// output that must be the same when the run is repeated, and a fingerprint over them; the last
  /// thing that a run, or a stage of it, does.
  void finish(std::string_view verb, const json::Value& report);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cupel
