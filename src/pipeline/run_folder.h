// A run folder as its readers see it: whatever is missing, cut short or damaged is left out, and
// said.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/stats.h"
#include "pipeline/chart_axis.h"

namespace cupel::pipeline {

struct RunFolder {
  enum class Status { finished, running, stopped };
  Status status = Status::stopped;
  std::vector<std::string> verbs;                            // of report.json, in order
  json::Value report = json::Object{};                       // an object, if empty
  json::Value manifest = json::Object{};                     // likewise
  std::string settings;                                      // text of config.yaml
  std::map<std::string, std::vector<chart::Point>> metrics;  // by name; y NaN where it was null
  std::map<std::string, int64_t> rejects;                    // rows by rule
  std::vector<json::Value> first_rejects;                    // at most ten
  std::vector<std::string> problems;                         // one sentence each
};

/// Bounded: of a long metric the extremes of each stretch are kept, of many metrics the first
/// 1,000, of each file the first 256 MiB. Never throws for what the folder holds; Error{config} if
/// there is no such folder.
RunFolder read_run_folder(const std::filesystem::path& folder);

/// A number below an object by its dotted path ("precision.bits"); NaN where there is none.
double number_at(const json::Value& value, std::string_view path);
/// A text likewise; empty where there is none.
std::string text_at(const json::Value& value, std::string_view path);
/// A list likewise; empty where there is none.
const json::Array& list_at(const json::Value& value, std::string_view path);
/// A list of two numbers, as reports write intervals.
std::optional<Interval> interval_at(const json::Value& value, std::string_view path);
/// The value, or null pointer.
const json::Value* find_path(const json::Value& value, std::string_view path);

}  // namespace cupel::pipeline
