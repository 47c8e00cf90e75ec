#include "pipeline/claims.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/atomic_file.h"
#include "base/config_doc.h"
#include "base/error.h"
#include "base/machine.h"
#include "pipeline/claims/protocols.h"
#include "pipeline/run_folder.h"
#include "pipeline/same_inputs.h"

namespace cupel::pipeline::claims {
namespace {

namespace fs = std::filesystem;

std::string machine_text(const Run& run) {
  const Machine here = machine();
  return fmt::format("{}, {} of {} cores, {:.0f} GiB", here.cpu_model, run.threads(), here.cores,
                     static_cast<double>(here.memory_bytes) / (1 << 30));
}

const Protocol& protocol_of(const Claim& claim, std::span<const Protocol> protocols) {
  std::string known;
  for (const Protocol& protocol : protocols) {
    if (protocol.name == claim.protocol) return protocol;
    known += (known.empty() ? "" : ", ") + std::string(protocol.name);
  }
  fail(ErrorKind::config, claim.id + ".yaml", "there is no protocol \"" + claim.protocol + "\"",
       "known: " + known);
}

json::Value to_json_values(const ClaimValues& values) {
  json::Object out;
  for (const auto& [name, measured] : values) {
    json::Value row = json::Object{{"value", measured.value}};
    if (measured.interval)
      row.set("interval", json::Array{measured.interval->low, measured.interval->high});
    if (measured.baseline) row.set("baseline", *measured.baseline);
    if (!measured.skipped.empty()) row.set("skipped", measured.skipped);
    out.emplace_back(name, std::move(row));
  }
  return out;
}

ClaimValues from_json_values(const json::Value& values, const std::string& where) {
  ClaimValues out;
  for (const auto& [name, row] : values.as_object(where)) {
    Measured& measured = out[name];
    measured.value = number_at(row, "value");
    if (const json::Value* interval = row.find("interval")) {
      const json::Array& ends = interval->as_array(where);
      measured.interval = {ends.at(0).as_double(where), ends.at(1).as_double(where)};
    }
    if (row.find("baseline") != nullptr) measured.baseline = number_at(row, "baseline");
    if (row.find("skipped") != nullptr) measured.skipped = text_at(row, "skipped");
  }
  return out;
}

/// The files that settings name, such as a recipe.
void append_files(const yaml::Node& node, const Claim& claim, std::vector<fs::path>& out) {
  std::error_code ignored;
  const fs::path file = (fs::path(claim.folder) / node.scalar).lexically_normal();
  if (node.kind == yaml::Node::Kind::scalar && fs::is_regular_file(file, ignored))
    out.push_back(file);
  for (const yaml::Node& item : node.items) append_files(item, claim, out);
  for (const auto& [name, value] : node.members) append_files(value, claim, out);
}

std::vector<fs::path> files_of(const Claim& claim) {
  std::vector<fs::path> files;
  append_files(claim.settings, claim, files);
  return files;
}

/// What the figures depend on: a stored seed counts only if it was measured with the same.
std::string identity(const Claim& claim) {
  std::string text = claim.protocol + "\n" + yaml::dump(claim.settings);
  for (const fs::path& file : files_of(claim)) text += sha256_file(file) + "\n";
  return sha256(text);
}

/// What was claimed, into the manifest. These are no inputs: a bar or a statement may be corrected
/// and the run resumed, and what changes a figure is told by identity().
void record_definitions(const Config& config, const std::vector<Claim>& claims, Run& run) {
  json::Value hashes = json::Object{};
  const auto record = [&](const fs::path& file) { hashes.set(file.string(), sha256_file(file)); };
  for (const Claim& claim : claims) {
    record(fs::path(config.folder.text) / (claim.id + ".yaml"));
    for (const fs::path& file : files_of(claim)) record(file);
  }
  run.set_manifest("definitions", std::move(hashes));
}

/// A file that a run in one of the seed's folders read and that is another today.
std::optional<std::string> changed_data(const fs::path& seed_folder, const Run& run) {
  if (!fs::exists(seed_folder)) return std::nullopt;
  for (const auto& nested : fs::directory_iterator(seed_folder)) {
    if (auto changed = changed_input(nested.path(), run.folder())) return changed;
  }
  return std::nullopt;
}

/// One random seed, from its file if it is done: with these settings, and on the same data.
ClaimValues measure_seed(const Claim& claim, int64_t seed, const Protocol& protocol,
                         const Heavy& heavy, Run& run) {
  const std::string base = "claims/" + claim.id + "/" + std::to_string(seed);
  const fs::path file = run.folder() / (base + ".json");
  const std::string title = claim.id + ", random seed " + std::to_string(seed);
  const std::optional<std::string> changed = changed_data(run.folder() / base, run);
  if (changed) {
    run.log(LogLevel::info, title + ": measured again, for " + *changed + " has changed");
  } else if (fs::exists(file)) {
    const json::Value stored = json::parse(read_file(file), file.string());
    if (text_at(stored, "settings") == identity(claim))
      return from_json_values(stored.at("values", file.string()), file.string());
  }
  // Nested runs of another recipe, other settings or other data; those of a seed cut off go on.
  if (changed || fs::exists(file)) run.remove(base);
  const auto section = run.section(title);
  const double begin = run.seconds();
  ClaimValues values = protocol.run({.claim = claim,
                                     .seed = static_cast<uint64_t>(seed),
                                     .folder = run.folder() / base,
                                     .heavy = heavy,
                                     .run = run});
  run.write(base + ".json", json::dump(json::Object{{"settings", identity(claim)},
                                                    {"seconds", run.seconds() - begin},
                                                    {"values", to_json_values(values)}},
                                       2) +
                                "\n");
  return values;
}

/// Value, interval and baseline of a metric over the random seeds.
void summarize(const std::vector<Measured>& seeds, Row& row) {
  std::vector<double> values, baselines;
  for (const Measured& one : seeds) {
    values.push_back(one.value);
    if (one.baseline) baselines.push_back(*one.baseline);
    if (!one.skipped.empty()) row.reason = "skipped: " + one.skipped;
  }
  row.value = mean(values);
  if (!baselines.empty()) row.baseline = mean(baselines);
  std::optional<Interval> interval = seeds[0].interval;
  if (seeds.size() > 1) interval = t_interval(values);
  if (interval) row.interval = {interval->low, interval->high};
  if (row.bar.empty() || !row.reason.empty()) return;
  const Bar bar = parse_bar(row.bar, row.id);
  row.pass = bar.is_met(*row.value, interval);
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  if (bar.side == Bar::Side::above || bar.side == Bar::Side::at_least) row.worst = *least;
  if (bar.side == Bar::Side::below || bar.side == Bar::Side::at_most) row.worst = *most;
}

std::vector<Row> measure(const Claim& claim, std::span<const Protocol> protocols,
                         const Heavy& heavy, Run& run) {
  std::vector<Row> rows;
  for (const MetricConfig& metric : claim.metrics) {
    Row& row = rows.emplace_back();
    row.id = claim.id;
    row.statement = claim.statement;
    row.metric = metric.name;
    row.bar = metric.bar;
    row.machine = machine_text(run);
  }
  const Protocol& protocol = protocol_of(claim, protocols);
  for (const std::string& set : claim.needs) {
    if (find_data_set(set)) continue;
    for (Row& row : rows) row.reason = "skipped: " + set;
    return rows;
  }
  std::vector<ClaimValues> seeds;
  for (const int64_t seed : claim.seeds) {
    seeds.push_back(measure_seed(claim, seed, protocol, heavy, run));
    run.stop_if_asked();
  }
  for (Row& row : rows) {
    std::vector<Measured> measured;
    for (const ClaimValues& values : seeds) {
      const auto found = values.find(row.metric);
      if (found == values.end()) {
        fail(ErrorKind::config, claim.id + ".yaml",
             "the protocol \"" + claim.protocol + "\" measures no \"" + row.metric + "\"",
             "take a metric that src/pipeline/claims/" + claim.protocol + ".cpp gives");
      }
      measured.push_back(found->second);
    }
    row.seeds = claim.seeds;
    summarize(measured, row);
  }
  return rows;
}

}  // namespace

std::span<const Protocol> protocols() { return kProtocols; }

bool Report::passed() const {
  return std::none_of(claims.begin(), claims.end(),
                      [](const Row& row) { return row.pass.has_value() && !*row.pass; });
}

Report run(const Config& config, const Heavy& heavy, Run& run) {
  return claims::run(config, heavy, protocols(), run);
}

Report run(const Config& config, const Heavy& heavy, std::span<const Protocol> protocols,
           Run& run) {
  if (!run.has_folder()) {
    fail(ErrorKind::config, "claims", "needs a folder for what it measures", "name one with --out");
  }
  const std::vector<Claim> claims = read_claims(config);
  record_definitions(config, claims, run);
  Report report;
  report.form = config.quick ? "quick" : "full";
  for (const Claim& claim : claims) {
    for (Row& row : measure(claim, protocols, heavy, run)) report.claims.push_back(std::move(row));
  }
  run.write("claims.json", json::dump(to_json(report), 2) + "\n");
  if (config.write_docs) write_file_atomically(config.docs, to_markdown(report, claims));
  return report;
}

}  // namespace cupel::pipeline::claims
