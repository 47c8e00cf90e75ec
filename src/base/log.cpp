#include "base/log.h"

#include <fstream>
#include <string>

#include "base/error.h"
#include "base/rng.h"
#include "base/text.h"

namespace cupel {
namespace {

constexpr const char* kMetrics = "metrics.jsonl";
constexpr const char* kRejects = "rejects.jsonl";
constexpr std::size_t kRejectCharacters = 200;

const char* name_of(LogLevel level) {
  return level == LogLevel::debug ? "debug" : level == LogLevel::info ? "info" : "warning";
}

/// Rows of a .json file may share a line, so the text belongs to it, as the file has it: cut short,
/// and in valid UTF-8.
uint64_t identity(std::string_view input, int64_t line, std::string_view rule,
                  const std::string& text) {
  return hash64(json::dump(text), hash64(rule, hash64(input, static_cast<uint64_t>(line))));
}

}  // namespace

RunLog::RunLog(std::filesystem::path folder) : folder_(std::move(folder)) { read_rejects(); }

// Rows read again after a resume must not stand twice.
void RunLog::read_rejects() {
  const std::filesystem::path path = folder_ / kRejects;
  if (folder_.empty() || !std::filesystem::exists(path)) return;
  rejects_ = std::make_unique<AppendFile>(path);
  const std::string where = path.string();
  std::ifstream lines(path, std::ios::binary);
  for (std::string line; std::getline(lines, line);) {
    const json::Value row = json::parse(line, where);
    rejects_seen_.insert(
        identity(row.at("input", where).as_string(where), row.at("line", where).as_int(where),
                 row.at("rule", where).as_string(where), row.at("text", where).as_string(where)));
  }
  if (!lines.eof())
    fail(ErrorKind::resource, where, "cannot be read", "see that its disk is well, and resume");
}

void RunLog::append(std::unique_ptr<AppendFile>& file, const char* name, const json::Value& line) {
  constexpr std::chrono::milliseconds kBetweenFlushes{500};
  if (folder_.empty()) return;
  if (!file) file = std::make_unique<AppendFile>(folder_ / name);
  file->append(json::dump(line) + "\n");
  if (Clock::now() - flushed_ < kBetweenFlushes) return;
  for (AppendFile* each : {metrics_.get(), log_.get(), rejects_.get()}) {
    if (each) each->flush();
  }
  flushed_ = Clock::now();
}

void RunLog::metric(std::string_view name, int64_t step, double value, double time) {
  append(metrics_, kMetrics,
         json::Object{{"step", step}, {"name", name}, {"value", value}, {"time", time}});
}

void RunLog::text(LogLevel level, std::string_view text, double time) {
  append(log_, "log.jsonl",
         json::Object{{"time", time}, {"level", name_of(level)}, {"text", text}});
}

void RunLog::section(std::string_view name, double seconds, double time) {
  append(log_, "log.jsonl", json::Object{{"time", time}, {"section", name}, {"seconds", seconds}});
}

void RunLog::reject(const Reject& reject) {
  const std::string text = clip(reject.text, kRejectCharacters);
  if (!rejects_seen_.insert(identity(reject.input, reject.line, reject.rule, text)).second) return;
  append(
      rejects_, kRejects,
      json::Object{
          {"input", reject.input}, {"line", reject.line}, {"rule", reject.rule}, {"text", text}});
}

int64_t RunLog::sync_metrics() {
  sync();
  return metrics_ ? metrics_->position() : 0;
}

void RunLog::cut_metrics(int64_t position) {
  if (folder_.empty() || (!metrics_ && !std::filesystem::exists(folder_ / kMetrics))) return;
  if (!metrics_) metrics_ = std::make_unique<AppendFile>(folder_ / kMetrics);
  metrics_->cut(position);
}

void RunLog::sync() {
  for (AppendFile* each : {metrics_.get(), log_.get(), rejects_.get()}) {
    if (each) each->sync();
  }
}

}  // namespace cupel
