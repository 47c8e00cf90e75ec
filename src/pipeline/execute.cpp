#include "pipeline/execute.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <new>
#include <optional>
#include <random>

#include "base/atomic_file.h"
#include "base/error.h"
#include "kernels/kernels.h"
#include "pipeline/figures.h"
#include "pipeline/processes.h"
#include "pipeline/program.h"
#include "pipeline/references.h"
#include "pipeline/report_html.h"
#include "pipeline/resources.h"
#include "pipeline/same_inputs.h"
#include "pipeline/verbs.h"

namespace cupel::pipeline {
namespace {

namespace fs = std::filesystem;

/// The part of a foreign message that people can read: LibTorch appends a stack trace.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

bool means_no_memory(const std::string& text) {
  return text.find("can't allocate memory") != std::string::npos ||
         text.find("out of memory") != std::string::npos;
}

[[noreturn]] void fail_memory(const std::string& where, const std::string& text) {
  fail(ErrorKind::resource, where, text,
       "lower micro_batch_size or sequence_len, or set gradient_checkpointing; cupel plan tells "
       "what is needed");
}

/// The error boundary: past it there are Error and Interrupted alone.
template <class Call>
Result bounded(const std::string& stage, const Call& call) {
  const std::string where = "[" + stage + "]";
  try {
    return call();
  } catch (const Error&) {
    throw;
  } catch (const Interrupted&) {
    throw;
  } catch (const std::bad_alloc&) {
    fail_memory(where, "out of memory");
  } catch (const std::exception& error) {
    const std::string text = first_line(error.what());
    if (means_no_memory(text)) fail_memory(where, text);
    fail(ErrorKind::external, where, text, "cupel doctor shows what is installed");
  }
}

RunOptions options_of(const Request& request, const fs::path& folder, const Peers& peers) {
  RunOptions options;
  options.folder = folder;
  options.recipe = request.recipe.text;
  options.config = resolved_config(request.recipe);
  options.seed = static_cast<uint64_t>(request.recipe.seed);
  options.threads = request.recipe.threads;
  options.resume = request.line.flags.resume;
  options.stop = request.stop;
  options.peers = peers;
  return options;
}

bool is_below(const std::string& name, const fs::path& parent) {
  const fs::path relative = fs::path(name).lexically_relative(parent);
  return !relative.empty() && *relative.begin() != "..";
}

/// The report of a stage that this run has finished before, if its outputs are as it left them. A
/// stage without outputs gives nothing to look at: `claims`, whose verdict is an exit code, is
/// asked again and takes the random seeds that it has measured from their files.
std::optional<json::Value> finished_report(const Stage& stage, const Run& run) {
  if (stage.verb->outputs.empty()) return std::nullopt;
  const fs::path report = run.folder() / "report.json", manifest = run.folder() / "manifest.json";
  if (!run.resuming() || !fs::exists(report) || !fs::exists(manifest)) return std::nullopt;
  const json::Value reports = json::parse(read_file(report), report.string());
  const json::Value* mine = reports.find(stage.name);
  if (mine == nullptr) return std::nullopt;
  const std::string where = manifest.string();
  const json::Value recorded = json::parse(read_file(manifest), where);
  const json::Value* outputs = recorded.find("outputs");  // none before the first stage has ended
  if (outputs == nullptr) return std::nullopt;
  for (const Output& output : stage.verb->outputs) {
    const fs::path path = stage_folder(stage, {}) / output.path;
    bool found = false;
    for (const auto& [name, hash] : outputs->as_object(where)) {
      if (!is_below(name, path)) continue;
      found = true;
      const fs::path file = run.folder() / name;
      if (!fs::exists(file) || sha256_file(file) != hash.as_string(where)) return std::nullopt;
    }
    if (!found) return std::nullopt;
  }
  return *mine;
}

/// The page over all reports of the run so far.
void write_page(Run& run) {
  if (run.has_folder()) run.write("report.html", report_html(run.folder()));
}

void finish(const std::string& stage, const json::Value& report, Run& run) {
  run.finish(stage, report);
  write_page(run);
}

/// `folder`: of the whole run, also in a process that has none of its own.
Result run_stage(const Request& request, std::size_t index, const fs::path& folder, Run& run) {
  const Stage& stage = request.recipe.stages[index];
  const double begin = run.seconds();
  const yaml::Node settings = with_outputs(request.recipe, index, folder);
  const yaml::Context context{stage.name, request.recipe.folder()};
  const auto call = [&](Run& own) {
    return bounded(stage.name,
                   [&] { return stage.verb->run(settings, context, request.heavy, own); });
  };
  Result result;
  if (stage_folder(stage, {}).empty() || !run.has_folder()) {
    result = call(run);
  } else {
    RunOptions options = options_of(request, stage_folder(stage, folder), run.peers());
    options.resume = true;  // the folder of the whole run decides whether this one may exist
    Run own(std::move(options));
    record_program(request.heavy, own);
    for (const Sink& sink : request.sinks) own.subscribe(sink);
    result = call(own);
    finish(stage.name, result.report, own);
  }
  add_resources(result.report, run.seconds() - begin, run.threads());
  if (!result.details.empty()) result.text = figures_text(result.report) + result.details;
  return result;
}

Executed lead_stages(const Request& request, const fs::path& folder, const Peers& peers,
                     Lead& lead) {
  Run run(options_of(request, folder, peers));
  for (const Stage& stage : request.recipe.stages)
    require_same_inputs(stage_folder(stage, folder), folder);
  for (const Sink& sink : request.sinks) run.subscribe(sink);
  record_program(request.heavy, run);
  Executed result{folder, json::Object{}, {}, 0};
  bool ran = false;
  for (std::size_t i = 0; i < request.recipe.stages.size(); ++i) {
    const Stage& stage = request.recipe.stages[i];
    // What follows a stage that ran may have new inputs, so it runs too.
    if (auto before = ran ? std::nullopt : finished_report(stage, run)) {
      run.log(LogLevel::info, stage.name + ": finished before, its outputs are unchanged");
      result.report.set(stage.name, std::move(*before));
      result.texts.emplace_back();
      continue;
    }
    run.stop_if_asked();
    ran = ran || !stage.verb->outputs.empty();
    if (is_shared(stage)) lead.begin_training(i, folder);
    Result done = run_stage(request, i, folder, run);
    if (is_shared(stage)) lead.end_training();
    finish(stage.name, done.report, run);
    result.report.set(stage.name, std::move(done.report));
    result.texts.push_back(std::move(done.text));
    if (result.exit_code == 0) result.exit_code = done.exit_code;
  }
  if (!ran) write_page(run);  // a kill may have come between the last report and its page
  return result;
}

/// What every rank but 0 does: its part of each training, until rank 0 has done with all stages.
Executed follow(const Request& request, const Peers& peers) {
  Follower follower(request, peers);
  Run run(options_of(request, {}, peers));
  for (const Sink& sink : request.sinks) run.subscribe(sink);
  for (;;) {
    const Order order = follower.next();
    if (order.kind == Order::Kind::train) {
      run_stage(request, order.stage, order.folder, run);
      continue;
    }
    if (order.kind == Order::Kind::failed && run.stop_requested()) throw Interrupted();
    const bool failed = order.kind == Order::Kind::failed;
    return {{}, json::Object{}, {}, failed ? exit_code(ErrorKind::external) : order.exit_code};
  }
}

}  // namespace

fs::path run_folder(const Request& request) {
  if (!request.line.flags.out.empty()) return request.line.flags.out.text;
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  char time[32], end[8];
  std::strftime(time, sizeof time, "%Y%m%dT%H%M%SZ", &utc);
  std::snprintf(end, sizeof end, "%04x", static_cast<unsigned>(std::random_device{}() & 0xffff));
  return fs::path("runs") / (std::string(request.line.verb->name) + "-" + time + "-" + end);
}

Executed execute(const Request& request, const fs::path& folder) {
  kernels();  // an unknown CUPEL_ISA ends the run before it begins
  const Peers peers = join(request);
  if (peers.rank > 0) return follow(request, peers);
  // Another of several processes that train nothing together: rank 0 does it all.
  if (request.ranks && request.ranks->rank > 0) return {};
  Lead lead(request, peers);
  Executed done = lead_stages(request, folder, peers, lead);
  lead.end(done.exit_code);
  return done;
}

bool needs_heavy_program(const Request& request) {
  const bool wanted = std::any_of(request.recipe.stages.begin(), request.recipe.stages.end(),
                                  [](const Stage& stage) { return stage.verb->needs_torch; });
  const bool looks = request.line.verb->answer != nullptr;
  return (looks ? request.line.verb->needs_torch : wanted) && request.heavy.train == nullptr;
}

}  // namespace cupel::pipeline
