#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <set>

#include "base/atomic_file.h"
#include "base/error.h"
#include "pipeline/claims.h"

namespace cupel::pipeline::claims {
namespace {

namespace fs = std::filesystem;

/// Takes the member out of the map; an empty map where it has none.
yaml::Node take_member(yaml::Node& map, std::string_view key) {
  const auto found = std::find_if(map.members.begin(), map.members.end(),
                                  [&](const auto& member) { return member.first == key; });
  yaml::Node out;
  out.kind = yaml::Node::Kind::map;
  out.where = map.where;
  if (found == map.members.end()) return out;
  if (found->second.kind == yaml::Node::Kind::map) {
    out = std::move(found->second);
  } else if (found->second.kind != yaml::Node::Kind::null) {
    fail(ErrorKind::config, found->second.where, "\"" + std::string(key) + "\" must be a map",
         "write key: value lines below it");
  }
  map.members.erase(found);
  return out;
}

struct Form {
  std::vector<int64_t> seeds;
  std::vector<MetricConfig> metrics;
  static constexpr auto fields() {
    return std::tuple{Field{"seeds", &Form::seeds, "random seeds", 0, 9e15},
                      Field{"metrics", &Form::metrics, "figures of this form alone"}};
  }
};

bool is_of_form(const std::pair<std::string, yaml::Node>& member) {
  return member.first == "seeds" || member.first == "metrics";
}

void check(const Claim& claim, const fs::path& file) {
  const auto refuse = [&](const std::string& text, const std::string& hint) {
    fail(ErrorKind::config, file.string(), text, hint);
  };
  if (claim.id != file.stem().string())
    refuse("id: is \"" + claim.id + "\"", "give it the file's name");
  if (claim.statement.empty()) refuse("statement: missing", "say in one sentence what is claimed");
  if (claim.metrics.empty()) refuse("metrics: at least one is needed", "add {name, bar}");
  if (claim.seeds.empty()) refuse("seeds: at least one is needed in quick and in full", "add one");
  bool claims_something = false;
  for (const MetricConfig& metric : claim.metrics) {
    if (metric.bar.empty()) continue;
    parse_bar(metric.bar, file.string());
    claims_something = true;
  }
  if (!claims_something) refuse("metrics: none has a bar", "say what one of the values must be");
}

}  // namespace

bool Bar::is_met(double value, const std::optional<Interval>& interval) const {
  if (of_interval && !interval) return false;
  const Interval range = of_interval ? *interval : Interval{value, value};
  if (!std::isfinite(value) || !std::isfinite(range.low) || !std::isfinite(range.high))
    return false;
  switch (side) {
    case Side::above:
      return range.low > limit;
    case Side::at_least:
      return range.low >= limit;
    case Side::at_most:
      return range.high <= limit;
    case Side::below:
      return range.high < limit;
    case Side::contains:
      break;
  }
  return range.low <= limit && limit <= range.high;
}

Bar parse_bar(std::string_view text, const std::string& where) {
  const std::string whole(text);
  constexpr std::string_view kInterval = "interval ", kContains = "contains ";
  Bar bar;
  bar.of_interval = text.starts_with(kInterval);
  if (bar.of_interval) text.remove_prefix(kInterval.size());
  if (bar.of_interval && text.starts_with(kContains)) {
    bar.side = Bar::Side::contains;
    text.remove_prefix(kContains.size());
  } else if (text.starts_with(">=") || text.starts_with("<=")) {
    bar.side = text[0] == '>' ? Bar::Side::at_least : Bar::Side::at_most;
    text.remove_prefix(2);
  } else if (text.starts_with('>') || text.starts_with('<')) {
    bar.side = text[0] == '>' ? Bar::Side::above : Bar::Side::below;
    text.remove_prefix(1);
  } else {
    text = {};
  }
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bar.limit);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(bar.limit)) {
    fail(ErrorKind::config, where, "bar: \"" + whole + "\" is none",
         "write >, >=, <= or < and a number, or interval before these, or interval contains");
  }
  return bar;
}

Claim read_claim(const fs::path& file, bool quick) {
  yaml::Node root = yaml::parse(read_file(file, int64_t{1} << 20), file.string());
  Claim claim;
  claim.folder = file.parent_path().string();
  claim.settings = take_member(root, "settings");
  yaml::Node quick_form = take_member(root, "quick"), full_form = take_member(root, "full");
  yaml::read_struct(root, claim, {"", claim.folder});
  yaml::Node& form = quick ? quick_form : full_form;
  Form own;
  yaml::Node own_node = form;
  std::erase_if(own_node.members, [](const auto& member) { return !is_of_form(member); });
  yaml::read_struct(own_node, own, {quick ? "quick" : "full", ""});
  claim.seeds = own.seeds;
  claim.metrics.insert(claim.metrics.end(), own.metrics.begin(), own.metrics.end());
  std::erase_if(form.members, is_of_form);
  for (auto& [name, value] : form.members) {
    if (yaml::Node* known = claim.settings.find(name)) {
      *known = std::move(value);
    } else {
      claim.settings.members.emplace_back(name, std::move(value));
    }
  }
  check(claim, file);
  return claim;
}

std::vector<Claim> read_claims(const Config& config) {
  const fs::path folder = config.folder.text;
  std::set<std::string> known;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".yaml") known.insert(entry.path().stem().string());
  }
  if (known.empty()) {
    fail(ErrorKind::config, folder.string(), "holds no claim",
         "run in the folder of the sources, or name another with --claims.folder");
  }
  std::string listed;
  for (const std::string& id : known) listed += (listed.empty() ? "" : ", ") + id;
  std::vector<std::string> ids = config.ids;
  if (ids.empty()) ids.assign(known.begin(), known.end());
  std::vector<Claim> claims;
  for (const std::string& id : ids) {
    if (!known.contains(id)) {
      fail(ErrorKind::config, "claims", "there is no claim \"" + id + "\"", "known: " + listed);
    }
    claims.push_back(read_claim(folder / (id + ".yaml"), config.quick));
  }
  return claims;
}

std::vector<std::string> Config::problems() const {
  read_claims(*this);
  return {};
}

std::optional<fs::path> find_data_set(const std::string& name) {
  const char* asked = std::getenv("CUPEL_DATA");
  std::error_code ignored;
  for (const fs::path& root :
       {fs::path(asked != nullptr ? asked : "../shared/data"), fs::path("data")}) {
    if (!root.empty() && fs::is_directory(root / name, ignored)) return root / name;
  }
  return std::nullopt;
}

fs::path required_data_set(const std::string& name, const std::string& where) {
  const std::optional<fs::path> folder = find_data_set(name);
  if (!folder)
    fail(ErrorKind::config, where, "there is no data set \"" + name + "\"", "name it in needs");
  return *folder;
}

}  // namespace cupel::pipeline::claims
