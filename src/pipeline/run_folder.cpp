#include "pipeline/run_folder.h"

#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/atomic_file.h"
#include "base/error.h"
#include "data/input_file.h"
#include "data/line_reader.h"

namespace cupel::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxDocumentBytes = int64_t{64} << 20;
constexpr int64_t kMaxLogBytes = int64_t{256} << 20;
constexpr std::size_t kMaxMetrics = 1000, kMaxPoints = 8192, kFirstRejects = 10;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// What the file holds, or an empty text and a problem.
std::string read_text(const fs::path& path, RunFolder& run) {
  if (!is_file(path)) return {};
  try {
    return read_file(path, kMaxDocumentBytes);
  } catch (const Error& error) {
    run.problems.push_back(error.what());
    return {};
  }
}

/// The JSON object in the file, or an empty one.
json::Value read_object(const fs::path& path, RunFolder& run) {
  const std::string text = read_text(path, run);
  if (text.empty()) return json::Object{};
  try {
    json::Value value = json::parse(text, path.filename().string());
    if (value.is_object()) return value;
    run.problems.push_back(path.filename().string() + ": is no JSON object");
  } catch (const Error& error) {
    run.problems.push_back(error.what());
  }
  return json::Object{};
}

/// Calls take(row) for each line that is a JSON object. A line that is none, such as a last one cut
/// short, is counted and passed over.
void for_each_object(const fs::path& path, RunFolder& run,
                     const std::function<bool(const json::Value&)>& take) {
  std::error_code ignored;
  if (!is_file(path) || fs::file_size(path, ignored) == 0) return;
  const std::string name = path.filename().string();
  int64_t bytes = 0, damaged = 0;
  try {
    LineReader reader(path);
    for (Line line; reader.next(line);) {
      bytes += static_cast<int64_t>(line.text.size()) + 1;
      if (bytes > kMaxLogBytes) {
        run.problems.push_back(name + ": only the first 256 MiB are shown");
        break;
      }
      if (line.text.empty()) continue;
      bool good = false;
      try {
        const json::Value row = json::parse(line.text, name);
        good = row.is_object() && take(row);
      } catch (const Error&) {
        good = false;
      }
      damaged += good ? 0 : 1;
    }
  } catch (const Error& error) {
    run.problems.push_back(error.what());
  }
  if (damaged > 0) {
    run.problems.push_back(name + ": " + std::to_string(damaged) + " damaged " +
                           (damaged == 1 ? "line" : "lines") + " passed over");
  }
}

void read_metrics(const fs::path& path, RunFolder& run) {
  bool too_many = false;
  for_each_object(path, run, [&](const json::Value& row) {
    const std::string name = text_at(row, "name");
    const double step = number_at(row, "step");
    if (name.empty() || !std::isfinite(step) || row.find("value") == nullptr) return false;
    if (run.metrics.size() >= kMaxMetrics && !run.metrics.contains(name)) return too_many = true;
    std::vector<chart::Point>& points = run.metrics[name];
    points.push_back({step, number_at(row, "value")});
    if (points.size() > kMaxPoints) points = chart::thin(points, kMaxPoints / 2);
    return true;
  });
  if (too_many) run.problems.push_back("metrics.jsonl: only the first 1000 metrics are shown");
  const auto earlier = [](const chart::Point& a, const chart::Point& b) { return a.x < b.x; };
  for (auto& [name, points] : run.metrics) {
    std::stable_sort(points.begin(), points.end(), earlier);
  }
}

void read_rejects(const fs::path& path, RunFolder& run) {
  for_each_object(path, run, [&](const json::Value& row) {
    const std::string rule = text_at(row, "rule");
    if (rule.empty()) return false;
    if (run.rejects.size() < kMaxMetrics || run.rejects.contains(rule)) ++run.rejects[rule];
    if (run.first_rejects.size() < kFirstRejects) run.first_rejects.push_back(row);
    return true;
  });
}

enum class Holder { nobody, this_process, another };

/// Who holds the run's lock. A process that was killed leaves the file, but not the lock.
Holder holder_of(const fs::path& lock) {
  if (!is_file(lock)) return Holder::nobody;
  try {
    const InputFile file(lock);
    if (::flock(file.fd(), LOCK_SH | LOCK_NB) == 0) return Holder::nobody;
    const bool own = read_file(lock, 4096).starts_with(std::to_string(::getpid()) + " ");
    return own ? Holder::this_process : Holder::another;
  } catch (const Error&) {
    return Holder::nobody;
  }
}

}  // namespace

RunFolder read_run_folder(const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    fail(ErrorKind::config, folder.string(), "no such folder", "name the folder of a run");
  }
  RunFolder run;
  run.report = read_object(folder / "report.json", run);
  run.manifest = read_object(folder / "manifest.json", run);
  run.settings = read_text(folder / "config.yaml", run);
  read_metrics(folder / "metrics.jsonl", run);
  read_rejects(folder / "rejects.jsonl", run);
  for (const auto& member : run.report.as_object("report.json")) run.verbs.push_back(member.first);
  const Holder holder = holder_of(folder / ".lock");
  const bool ended = run.manifest.find("fingerprint") != nullptr;
  // The process that writes the page at the end of its run still holds the lock.
  if (holder == Holder::another || (holder == Holder::this_process && !ended)) {
    run.status = RunFolder::Status::running;
  } else if (ended) {
    run.status = RunFolder::Status::finished;
  }
  return run;
}

const json::Value* find_path(const json::Value& value, std::string_view path) {
  const json::Value* at = &value;
  while (at != nullptr && !path.empty()) {
    const std::string_view key = path.substr(0, path.find('.'));
    at = at->find(key);
    path.remove_prefix(std::min(path.size(), key.size() + 1));
  }
  return at;
}

double number_at(const json::Value& value, std::string_view path) {
  const json::Value* found = find_path(value, path);
  return found != nullptr && found->is_number() ? found->as_double(path) : NAN;
}

const json::Array& list_at(const json::Value& value, std::string_view path) {
  static const json::Array empty;
  const json::Value* found = find_path(value, path);
  return found != nullptr && found->is_array() ? found->as_array(path) : empty;
}

std::string text_at(const json::Value& value, std::string_view path) {
  const json::Value* found = find_path(value, path);
  return found != nullptr && found->is_string() ? found->as_string(path) : std::string();
}

std::optional<Interval> interval_at(const json::Value& value, std::string_view path) {
  const json::Value* list = find_path(value, path);
  if (list == nullptr || !list->is_array()) return std::nullopt;
  const json::Array& ends = list->as_array(path);
  if (ends.size() != 2 || !ends[0].is_number() || !ends[1].is_number()) return std::nullopt;
  return Interval{ends[0].as_double(path), ends[1].as_double(path)};
}

}  // namespace cupel::pipeline
