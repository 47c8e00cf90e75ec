// The three logs of a run folder: metrics.jsonl, log.jsonl, rejects.jsonl, one JSON object a line.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <unordered_set>

#include "base/atomic_file.h"
#include "base/run.h"

namespace cupel {

/// Files appear with their first line, and every half second what was logged can be read. Without a
/// folder nothing is written, only counted.
class RunLog {
 public:
  explicit RunLog(std::filesystem::path folder);

  void metric(std::string_view name, int64_t step, double value, double time);
  void text(LogLevel level, std::string_view text, double time);
  void section(std::string_view name, double seconds, double time);
  void reject(const Reject& reject);
  int64_t rejected() const { return static_cast<int64_t>(rejects_seen_.size()); }

  /// All three safely on disk; bytes of metrics.jsonl then, and the cut back to such a place.
  int64_t sync_metrics();
  void cut_metrics(int64_t position);
  void sync();

 private:
  using Clock = std::chrono::steady_clock;
  void append(std::unique_ptr<AppendFile>& file, const char* name, const json::Value& line);
  void read_rejects();

  std::filesystem::path folder_;
  std::unique_ptr<AppendFile> metrics_, log_, rejects_;
  std::unordered_set<uint64_t> rejects_seen_;
  Clock::time_point flushed_ = Clock::now();
};

}  // namespace cupel
