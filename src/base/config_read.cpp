#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>

#include "base/config_yaml.h"
#include "base/text.h"

namespace cupel::yaml {
namespace {

constexpr std::size_t kShown = 80;  // characters of a user's text that an error repeats

std::string quote(std::string_view text) { return "\"" + clip(text, kShown) + "\""; }

std::string shown(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::map:
      return "a map";
    case Node::Kind::scalar:
      break;
  }
  return node.quoted ? "the text " + quote(node.scalar) : clip(node.scalar, kShown);
}

[[noreturn]] void fail_at(const Node& node, std::string text, std::string hint) {
  fail(ErrorKind::config, node.where, std::move(text), std::move(hint));
}

[[noreturn]] void fail_type(const Node& node, const std::string& key, const std::string& expected,
                            std::string hint) {
  if (node.kind == Node::Kind::scalar && node.quoted) hint = "remove the quotes";
  const std::string name = key.empty() ? "the recipe" : quote(key);
  fail_at(node, name + " must be " + expected + ", not " + shown(node), std::move(hint));
}

bool is_plain_scalar(const Node& node) { return node.kind == Node::Kind::scalar && !node.quoted; }

/// A plus may stand before digits, not before another sign.
std::string_view without_plus(std::string_view text) {
  return text.starts_with('+') && !text.starts_with("+-") ? text.substr(1) : text;
}

/// Every spelling of a number that YAML, JSON or Python knows: 1e-4, 1.E-4, .5, +2, .inf.
bool parse_number(std::string_view text, double& value) {
  text = without_plus(text);
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits == ".inf" || digits == ".Inf" || digits == ".INF") {
    value = text.starts_with('-') ? -INFINITY : INFINITY;
    return true;
  }
  if (text.find_first_not_of("0123456789+-.eE") != std::string::npos) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::string number_text(double value) {
  std::string text = shortest(value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

struct Unit {
  std::string_view name;
  double bytes;
};
constexpr std::array<Unit, 9> kUnits{{{"TiB", 0x1p40},
                                      {"TB", 1e12},
                                      {"GiB", 0x1p30},
                                      {"GB", 1e9},
                                      {"MiB", 0x1p20},
                                      {"MB", 1e6},
                                      {"KiB", 0x1p10},
                                      {"KB", 1e3},
                                      {"B", 1}}};

std::string listed(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// Optimal string alignment: insert, delete, change, swap neighbours, each of cost 1.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace
}  // namespace cupel::yaml

namespace cupel {

std::string to_text(ByteSize size) {
  std::string best;
  for (const yaml::Unit& unit : yaml::kUnits) {
    const auto bytes = static_cast<int64_t>(unit.bytes);
    if (size.bytes % bytes != 0) continue;
    const std::string text = std::to_string(size.bytes / bytes) + std::string(unit.name);
    if (best.empty() || text.size() < best.size()) best = text;
  }
  return best;
}

}  // namespace cupel

namespace cupel::yaml {

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t kLongest = 64;
  if (word.size() > kLongest) return {};
  std::string best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    if (candidate.size() > kLongest) continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < least && distance < candidate.size()) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

bool read_bool(const Node& node, const std::string& key) {
  if (is_plain_scalar(node)) {
    if (node.scalar == "true" || node.scalar == "True" || node.scalar == "TRUE") return true;
    if (node.scalar == "false" || node.scalar == "False" || node.scalar == "FALSE") return false;
  }
  const bool means_true = node.scalar == "yes" || node.scalar == "on" || node.scalar == "1";
  const bool means_false = node.scalar == "no" || node.scalar == "off" || node.scalar == "0";
  fail_type(node, key, "true or false",
            means_true    ? "write true"
            : means_false ? "write false"
                          : "write true or false");
}

int64_t read_int(const Node& node, const std::string& key) {
  if (is_plain_scalar(node)) {
    const std::string_view text = without_plus(node.scalar);
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return value;
    double number = 0;
    constexpr double kExact = 0x1p53;
    if (parse_number(node.scalar, number) && std::abs(number) <= kExact &&
        std::trunc(number) == number) {
      return static_cast<int64_t>(number);
    }
  }
  fail_type(node, key, "a whole number", "write digits, as in 42 or 1e3");
}

double read_double(const Node& node, const std::string& key) {
  double value = 0;
  if (is_plain_scalar(node) && parse_number(node.scalar, value)) return value;
  fail_type(node, key, "a number", "write it as in 0.001 or 1e-3");
}

std::string read_string(const Node& node, const std::string& key) {
  if (node.kind == Node::Kind::scalar) return node.scalar;
  fail_type(node, key, "text", "write a word, or \"\" for no text");
}

ByteSize read_size(const Node& node, const std::string& key) {
  for (const Unit& unit : kUnits) {
    if (node.kind != Node::Kind::scalar || !node.scalar.ends_with(unit.name)) continue;
    std::string_view number(node.scalar);
    number.remove_suffix(unit.name.size());
    if (number.ends_with(' ')) number.remove_suffix(1);
    double value = 0;
    constexpr double kExact = 0x1p53;
    if (parse_number(number, value) && value >= 0 && value * unit.bytes <= kExact)
      return {static_cast<int64_t>(value * unit.bytes)};
    break;
  }
  fail_type(node, key, "a size with its unit", "write it as in 512MB or 2GiB");
}

Path read_path(const Node& node, const std::string& key, const std::string& folder) {
  const std::string text = read_string(node, key);
  const std::filesystem::path path(text);
  const bool stays = text.empty() || path.is_absolute() || folder.empty() ||
                     text.find("${") != std::string::npos || from_command_line(node);
  if (stays) return {text};
  return {(std::filesystem::path(folder) / path).lexically_normal().string()};
}

std::size_t read_choice(const Node& node, const std::string& key,
                        const std::vector<std::string>& choices) {
  if (node.kind == Node::Kind::scalar) {
    const auto found = std::find(choices.begin(), choices.end(), node.scalar);
    if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  }
  const std::string near = nearest(node.scalar, choices);
  fail_at(node, quote(key) + " must be one of " + listed(choices) + ", not " + shown(node),
          near.empty() ? "choose one of them" : "did you mean " + quote(near) + "?");
}

void check_range(const Node& node, const std::string& key, double value, double low, double high) {
  if (value >= low && value <= high) return;
  std::string range = "between " + number_text(low) + " and " + number_text(high);
  if (high == INFINITY) range = "at least " + number_text(low);
  if (low == -INFINITY) range = "at most " + number_text(high);
  fail_at(node, quote(key) + " must be " + range + ", not " + shown(node),
          "choose a value in the range");
}

namespace {

const std::string& key_place(const Node& value) {
  return value.key_where.empty() ? value.where : value.key_where;
}

[[noreturn]] void fail_unknown_key(const Node& value, const std::string& key,
                                   const std::vector<std::string>& known) {
  const std::size_t dot = key.rfind('.');
  const std::string prefix = dot == std::string::npos ? "" : key.substr(0, dot + 1);
  const std::string name = key.substr(prefix.size());
  const std::string near = nearest(name, known);
  // The command line names settings in full, a recipe by where they stand.
  const std::string in_full = from_command_line(value) ? prefix : "";
  const std::string& where = key_place(value);
  std::string text = "unknown key " + quote(in_full + name);
  if (near.empty()) fail(ErrorKind::config, where, text, "known keys: " + listed(known));
  fail(ErrorKind::config, where, text + ", did you mean " + quote(in_full + near) + "?");
}

[[noreturn]] void fail_elsewhere(const Node& value, const std::string& key, std::string_view hint) {
  fail(ErrorKind::config, key_place(value), quote(key) + " is a setting of other tools",
       std::string(hint));
}

[[noreturn]] void fail_twice(const Node& value, const std::string& key, const std::string& first) {
  fail(ErrorKind::config, key_place(value),
       quote(key) + " is another name of " + quote(first) + ", which is given too",
       "keep one of the two");
}

bool is_called(const Member& member, std::string_view name) {
  return name == member.name ||
         (!name.empty() && std::ranges::find(member.aliases, name) != member.aliases.end());
}

}  // namespace

void read_members(const Node& node, void* out, std::span<const Member> members,
                  std::span<const Elsewhere> elsewhere, const Context& context) {
  if (node.kind == Node::Kind::null) return;  // as in `train:` alone: all defaults
  if (node.kind != Node::Kind::map) fail_not_a_map(node, context.path);
  const std::string prefix = context.path.empty() ? "" : context.path + ".";
  std::map<std::string_view, std::string_view> seen;  // a field's name → as it was given
  for (const auto& [name, value] : node.members) {
    const std::string_view given = name;
    const auto member =
        std::ranges::find_if(members, [&](const Member& m) { return is_called(m, given); });
    if (member == members.end()) {
      const auto foreign = std::ranges::find(elsewhere, given, &Elsewhere::name);
      if (foreign != elsewhere.end()) fail_elsewhere(value, prefix + name, foreign->hint);
      std::vector<std::string> known;
      for (const Member& each : members) known.emplace_back(each.name);
      fail_unknown_key(value, prefix + name, known);
    }
    const auto [first, is_new] = seen.emplace(member->name, given);
    if (!is_new && !from_command_line(value))
      fail_twice(value, prefix + name, std::string(first->second));
    const std::string key = prefix + std::string(member->name);
    member->read(value, out, key, {key, context.folder});
  }
}

void fail_not_a_map(const Node& node, const std::string& key) {
  fail_type(node, key, "a map", "write its settings below it, as in name: value");
}

void fail_not_a_list(const Node& node, const std::string& key) {
  fail_type(node, key, "a list", "write it in brackets, as in [a, b]");
}

void fail_problems(const Node& node, const std::string& key,
                   const std::vector<std::string>& problems) {
  std::string text;
  for (const std::string& problem : problems) text += (text.empty() ? "" : "; ") + problem;
  fail_at(node, key.empty() ? text : key + ": " + text, "");
}

}  // namespace cupel::yaml
