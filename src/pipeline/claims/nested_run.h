// A run inside a claim: its own folder, the claim's random seed, one stop request for both.
#pragma once

#include <string>
#include <string_view>

#include "base/config_doc.h"
#include "base/run.h"
#include "pipeline/claims.h"

namespace cupel::pipeline::claims {

class NestedRun {
 public:
  /// Begins or resumes the run `name` in the claim's folder. Throws Error{config} if it was begun
  /// with other settings or inputs.
  NestedRun(const ClaimContext& context, const std::string& name, const json::Value& settings);
  Run& run() { return run_; }
  /// The report it ended with, if it ended before; null otherwise.
  json::Value finished_report(std::string_view verb);

 private:
  Run run_;
};

/// Calls body(config, run) in a run of its own, unless that has ended already, and returns its
/// report as JSON.
template <class Settings, class Body>
json::Value run_nested(const ClaimContext& context, const std::string& name, std::string_view verb,
                       const Settings& settings, const Body& body) {
  NestedRun nested(context, name, to_json(settings));
  json::Value report = nested.finished_report(verb);
  if (!report.is_null()) return report;
  report = to_json(body(settings, nested.run()));
  nested.run().finish(verb, report);
  return report;
}

}  // namespace cupel::pipeline::claims
