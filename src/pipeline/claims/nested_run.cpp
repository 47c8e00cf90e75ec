#include "pipeline/claims/nested_run.h"

#include "base/atomic_file.h"
#include "pipeline/program.h"
#include "pipeline/same_inputs.h"

namespace cupel::pipeline::claims {
namespace {

RunOptions options_of(const ClaimContext& context, const std::string& name,
                      const json::Value& settings) {
  RunOptions options;
  options.folder = context.folder / name;
  options.recipe = options.config = to_yaml(settings);
  options.seed = context.seed;
  options.threads = context.run.threads();
  options.resume = true;
  options.stop = context.run.stop_flag();
  return options;
}

}  // namespace

NestedRun::NestedRun(const ClaimContext& context, const std::string& name,
                     const json::Value& settings)
    : run_(options_of(context, name, settings)) {
  Run& outer = context.run;
  require_same_inputs(run_.folder(), outer.folder());
  record_program(context.heavy, run_);
  run_.subscribe([&outer, name](const Event& event) {
    if (event.kind != Event::Kind::progress) return;
    outer.progress(event.done, event.total, name + ": " + std::string(event.text));
  });
}

json::Value NestedRun::finished_report(std::string_view verb) {
  const std::filesystem::path path = run_.folder() / "report.json";
  if (!run_.resuming() || !std::filesystem::exists(path)) return {};
  const json::Value reports = json::parse(read_file(path), path.string());
  const json::Value* report = reports.find(verb);
  return report == nullptr ? json::Value() : *report;
}

}  // namespace cupel::pipeline::claims
