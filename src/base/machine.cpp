#include "base/machine.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <sstream>

namespace cupel {
namespace {

/// The first number of the first line, or -1: missing file, or "max".
int64_t read_number(const std::filesystem::path& path) {
  std::ifstream file(path);
  int64_t value = 0;
  return file >> value ? value : -1;
}

/// Folders that may hold this process's limits, innermost first: its own cgroup and all above it.
std::vector<std::filesystem::path> cgroup_folders(const std::string& controller) {
  std::vector<std::filesystem::path> folders;
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool unified = names == ",,";
    if (!unified && names.find("," + controller + ",") == std::string::npos) continue;
    const std::filesystem::path root =
        unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/" + line.substr(first + 1, second - first - 1);
    std::filesystem::path inner = std::filesystem::path(line.substr(second + 1)).relative_path();
    for (; !inner.empty(); inner = inner.parent_path()) folders.push_back(root / inner);
    folders.push_back(root);
  }
  return folders;
}

/// Cores worth of CPU time a period: "200000 100000" in cpu.max, or two files in the older form.
double cgroup_cores() {
  double least = 1e9;
  for (const auto& folder : cgroup_folders("cpu")) {
    std::ifstream file(folder / "cpu.max");
    double quota = -1, period = -1;
    if (!(file >> quota >> period)) {
      quota = static_cast<double>(read_number(folder / "cpu.cfs_quota_us"));
      period = static_cast<double>(read_number(folder / "cpu.cfs_period_us"));
    }
    if (quota > 0 && period > 0) least = std::min(least, quota / period);
  }
  return least;
}

struct MemoryLimit {
  int64_t limit = 0;  // 0: none
  int64_t left = INT64_MAX;
};

MemoryLimit cgroup_memory() {
  MemoryLimit result;
  for (const auto& folder : cgroup_folders("memory")) {
    int64_t limit = read_number(folder / "memory.max");
    int64_t used = read_number(folder / "memory.current");
    if (limit < 0) {
      limit = read_number(folder / "memory.limit_in_bytes");
      used = read_number(folder / "memory.usage_in_bytes");
    }
    constexpr int64_t kUnlimited = INT64_C(1) << 60;  // the older form writes a huge number
    if (limit <= 0 || limit > kUnlimited) continue;
    if (result.limit == 0 || limit < result.limit) result.limit = limit;
    if (used >= 0) result.left = std::min(result.left, std::max<int64_t>(0, limit - used));
  }
  return result;
}

/// A line "MemAvailable:  123 kB" of /proc/meminfo, in bytes.
int64_t meminfo(const std::string& key) {
  std::ifstream file("/proc/meminfo");
  for (std::string name, line; file >> name && std::getline(file, line);) {
    if (name == key + ":") return std::stoll(line) * 1024;
  }
  return 0;
}

void read_cpuinfo(Machine& machine) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line) && !line.empty();) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || colon + 2 > line.size()) continue;
    const std::string key = line.substr(0, line.find_first_of("\t:"));
    const std::string value = line.substr(colon + 2);
    if (key == "model name") machine.cpu_model = value;
    if (key != "flags") continue;
    std::istringstream words(value);
    for (std::string flag; words >> flag;) machine.flags.push_back(flag);
  }
}

}  // namespace

bool Machine::has_flag(const std::string& flag) const {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cores = 1;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cores = std::max(1, CPU_COUNT(&set));
  const double quota = cgroup_cores();
  return quota < cores ? std::max(1, static_cast<int>(quota + 0.5)) : cores;
}

int64_t available_memory_bytes() { return std::min(meminfo("MemAvailable"), cgroup_memory().left); }

int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

Machine machine() {
  Machine result;
  read_cpuinfo(result);
  result.cores = static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  result.usable_cores = usable_cores();
  result.memory_bytes = meminfo("MemTotal");
  result.available_bytes = available_memory_bytes();
  result.cgroup_limit_bytes = cgroup_memory().limit;
  utsname name{};
  if (uname(&name) == 0) result.kernel = std::string(name.sysname) + " " + name.release;
  return result;
}

json::Value to_json(const Machine& machine) {
  json::Array flags;
  for (const char* flag : {"avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avx512_vnni",
                           "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16"}) {
    if (machine.has_flag(flag)) flags.emplace_back(flag);
  }
  return json::Object{{"cpu", machine.cpu_model},
                      {"flags", flags},
                      {"cores", machine.cores},
                      {"usable_cores", machine.usable_cores},
                      {"memory_bytes", machine.memory_bytes},
                      {"available_bytes", machine.available_bytes},
                      {"cgroup_limit_bytes", machine.cgroup_limit_bytes},
                      {"kernel", machine.kernel}};
}

}  // namespace cupel
