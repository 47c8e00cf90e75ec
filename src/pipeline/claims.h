// `claims`: the headline figures, measured again over random seeds and held against their bars.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/config_doc.h"
#include "base/config_yaml.h"
#include "base/run.h"
#include "base/stats.h"
#include "pipeline/heavy.h"
#include "pipeline/references.h"

namespace cupel::pipeline::claims {

struct Config {
  std::vector<std::string> ids;
  bool quick = false;
  bool write_docs = false;
  Path folder{"bench/claims"};
  std::string docs = "docs/claims.md";  // no Path: it need not be there
  static constexpr auto fields() {
    using C = Config;
    return std::tuple{
        Field{"ids", &C::ids, "claims to measure; default: all"},
        Field{"quick", &C::quick, "the form of a few minutes, on shipped or generated data"},
        Field{"write_docs", &C::write_docs, "write the table to docs"},
        Field{"folder", &C::folder, "one YAML file a claim"},
        Field{"docs", &C::docs, "page that write_docs writes, from where the command runs"}};
  }
  /// Throws what read_claims throws: a claim that is not there ends the command before it has a
  /// folder.
  std::vector<std::string> problems() const;
};

/// "> 0", ">= 0.3", "<= 45" or "< 1e-3": of the value; with "interval" before it, of the whole
/// interval. "interval contains 0": no difference was seen.
struct Bar {
  enum class Side { above, at_least, at_most, below, contains };
  Side side = Side::above;
  double limit = 0;
  bool of_interval = false;
  /// False for a value that is not finite, and for a bar of an interval where there is none.
  bool is_met(double value, const std::optional<Interval>& interval = {}) const;
};
/// Throws Error{config}; `where` names the claim's file.
Bar parse_bar(std::string_view text, const std::string& where);

struct MetricConfig {
  std::string name, bar;
  static constexpr auto fields() {
    return std::tuple{
        Field{"name", &MetricConfig::name, "as the protocol calls it"},
        Field{"bar", &MetricConfig::bar, "what the value must be, as in >= 0.3; empty: told"}};
  }
};

/// bench/claims/<id>.yaml. Beside these fields it has `settings`, what the protocol reads, and
/// `quick` and `full`, each with `seeds`, further `metrics` and the settings that differ.
struct Claim {
  std::string id, statement, protocol, notes;
  std::vector<MetricConfig> metrics;
  std::vector<std::string> needs;
  // Of the form that is measured:
  std::vector<int64_t> seeds;
  yaml::Node settings;
  std::string folder;  // that its paths are relative to
  static constexpr auto fields() {
    using C = Claim;
    return std::tuple{Field{"id", &C::id, "the file's name"},
                      Field{"statement", &C::statement, "the claim, one sentence"},
                      Field{"protocol", &C::protocol, "how it is measured: a file in the code"},
                      Field{"notes", &C::notes, "model shape, token budget, time"},
                      Field{"metrics", &C::metrics, "figures and their bars"},
                      Field{"needs", &C::needs, "data sets without which it is skipped"}};
  }
};

/// Throws Error{config} naming the place in the file.
Claim read_claim(const std::filesystem::path& file, bool quick);
/// The claims of a folder by id, or those named; an unknown id is an Error{config} that lists them.
std::vector<Claim> read_claims(const Config& config);

/// Folder of a data set: below CUPEL_DATA (default: ../shared/data where that exists), else below
/// data/.
std::optional<std::filesystem::path> find_data_set(const std::string& name);
/// The same; throws Error{config} at `where` if it is absent.
std::filesystem::path required_data_set(const std::string& name, const std::string& where);

/// One figure for one random seed, with the interval that a single measurement gives, if any.
struct Measured {
  double value = 0;
  std::optional<Interval> interval = {};
  std::optional<double> baseline = {};
  std::string skipped = {};  // why no bar binds the figure on this machine; empty: it does
};
using ClaimValues = std::map<std::string, Measured>;

/// What a protocol measures with.
struct ClaimContext {
  const Claim& claim;
  uint64_t seed;
  std::filesystem::path folder;  // for the runs it needs; kept
  const Heavy& heavy;
  Run& run;

  /// The claim's settings as the protocol's own struct, read strictly, models found by their names.
  template <cupel::Config T>
  T settings() const {
    T out;
    FieldDoc section;
    section.name = "settings";
    section.children = describe<T>();
    yaml::Node found = claim.settings;
    find_models(found, section, claim.folder);
    yaml::read_struct(found, out, {"settings", claim.folder});
    return out;
  }
};

/// Gives every metric of a claim for one random seed.
struct Protocol {
  std::string_view name;
  ClaimValues (*run)(const ClaimContext& context);
};
/// All of them: src/pipeline/claims/protocols.h.
std::span<const Protocol> protocols();

/// A claim's metric. pass: whether the mean over the random seeds meets the bar; null where the
/// claim was skipped or the bar does not bind on this machine, with the reason. interval: Student's
/// t over random seeds, of a single one the metric's own. worst: of the random seeds', the value
/// farthest to the wrong side of the bar.
struct Row {
  std::string id = {}, statement = {}, metric = {};
  std::optional<double> value = {};
  std::optional<std::array<double, 2>> interval = {};
  std::string bar = {};
  std::optional<double> worst = {};
  std::optional<bool> pass = {};
  std::optional<double> baseline = {};
  std::string machine = {}, reason = {};
  std::vector<int64_t> seeds = {};
  static constexpr auto fields() {
    using C = Row;
    return std::tuple{Field{"id", &C::id, "claim"},
                      Field{"statement", &C::statement, "one sentence"},
                      Field{"metric", &C::metric, "figure"},
                      Field{"value", &C::value, "mean over random seeds"},
                      Field{"interval", &C::interval, "95 %"},
                      Field{"bar", &C::bar, "what the value must be; empty: anything"},
                      Field{"worst", &C::worst, "value of the worst random seed, by the bar"},
                      Field{"pass", &C::pass, "bar met; null: skipped, or no bar"},
                      Field{"baseline", &C::baseline, "what the value is measured against"},
                      Field{"machine", &C::machine, "where it was measured"},
                      Field{"reason", &C::reason, "why it was skipped"},
                      Field{"seeds", &C::seeds, "random seeds measured"}};
  }
};

struct Report {
  std::string form = {};
  std::vector<Row> claims = {};
  static constexpr auto fields() {
    return std::tuple{Field{"form", &Report::form, "quick or full"},
                      Field{"claims", &Report::claims, "a row a metric"}};
  }
  /// No row missed its bar.
  bool passed() const;
  int exit_code() const { return passed() ? 0 : 1; }
  std::string text() const;
};

/// Measures each claim for each of its random seeds; a seed that is done lies in
/// claims/<id>/<seed>.json, and a run that resumes does not measure it again. Writes claims.json.
/// Throws Error{config} for a run without a folder.
Report run(const Config& config, const Heavy& heavy, Run& run);
/// The same with protocols of the caller's.
Report run(const Config& config, const Heavy& heavy, std::span<const Protocol> protocols, Run& run);

/// docs/claims.md.
std::string to_markdown(const Report& report, const std::vector<Claim>& claims);

}  // namespace cupel::pipeline::claims
