// What this machine is and what it lets the process use: for `doctor`, reports and defaults.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"

namespace cupel {

/// Sizes in bytes. A limit that is not set is 0.
struct Machine {
  std::string cpu_model;           // as /proc/cpuinfo names it
  std::vector<std::string> flags;  // of the first core, as the kernel spells them
  int cores = 1;                   // logical cores online
  int usable_cores = 1;            // after affinity and cgroup quota
  int64_t memory_bytes = 0;
  int64_t available_bytes = 0;  // without swapping, and within the cgroup's limit
  int64_t cgroup_limit_bytes = 0;
  std::string kernel;  // "Linux 6.1.0"
  bool has_flag(const std::string& flag) const;
};

/// As /proc and the cgroup tell now; what they do not tell keeps its default.
Machine machine();

/// Cores that affinity and the cgroup's CPU quota leave to this process, at least 1.
int usable_cores();

/// Memory that can be had without swapping, within the cgroup's limit.
int64_t available_memory_bytes();

/// High-water mark of this process's resident memory.
int64_t peak_memory_bytes();

/// The machine as reports print it; of the flags only those that choose a kernel row.
json::Value to_json(const Machine& machine);

}  // namespace cupel
