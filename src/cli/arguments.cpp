#include "cli/arguments.h"

#include <algorithm>
#include <optional>

#include "base/config_doc.h"
#include "base/config_yaml.h"
#include "base/error.h"
#include "base/text.h"
#include "pipeline/verbs.h"

namespace cupel::cli {
namespace {

/// The flag that a word with dashes names, and whether it is a switch.
struct FlagName {
  std::string name;
  bool is_switch = false;
};

std::optional<FlagName> flag_of(const std::string& word) {
  std::string name = word.substr(2, word.find('=') - 2);
  std::replace(name.begin(), name.end(), '-', '_');
  std::optional<FlagName> found;
  for_each_field<pipeline::Flags>([&](const auto& field) {
    using Value = std::remove_cvref_t<decltype(pipeline::Flags{}.*(field.member))>;
    if (field.name == name) found = FlagName{name, std::is_same_v<Value, bool>};
  });
  return found;
}

/// One value as text: a folder called 5 is no number, and a seed is still read as one.
yaml::Node value_node(const std::string& value, const std::string& where) {
  return {yaml::Node::Kind::scalar, value, false, {}, {}, where, where};
}

}  // namespace

void fail_without_verb(const pipeline::CommandLine& line) {
  if (line.overrides.empty())
    fail(ErrorKind::config, "cupel", "no verb", "cupel --help lists them");
  const std::string where = line.overrides[0].substr(0, line.overrides[0].find('='));
  std::vector<std::string> known;
  for (const FieldDoc& flag : describe<pipeline::Flags>()) known.push_back(flag.name);
  std::string near = yaml::nearest(where.substr(2), known);
  std::replace(near.begin(), near.end(), '_', '-');
  fail(ErrorKind::config, clip(where, 80), "unknown flag, and no verb",
       near.empty() ? "cupel --help lists both" : "did you mean --" + near + "?");
}

pipeline::CommandLine parse_arguments(const std::vector<std::string>& words) {
  pipeline::CommandLine line;
  yaml::Node flags{.kind = yaml::Node::Kind::map};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string word = words[i] == "-h" ? "--help" : words[i];
    if (!word.starts_with('-') || word == "-") {
      if (line.verb == nullptr) {
        line.verb = &pipeline::find_verb(word);
      } else if (const auto* mode = pipeline::find_mode(*line.verb, word);
                 mode != nullptr && line.words.empty()) {
        line.verb = mode;
      } else {
        line.words.push_back(word);
      }
      continue;
    }
    const std::string where = word.substr(0, word.find('='));
    if (!word.starts_with("--") || where.size() < 3) {
      fail(ErrorKind::config, clip(word, 80), "unknown flag", "flags begin with two dashes");
    }
    const auto flag = flag_of(word);
    if (!flag) {
      line.overrides.push_back(word);
      continue;
    }
    const std::size_t equals = word.find('=');
    std::string value = "true";
    if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (!flag->is_switch) {
      if (i + 1 == words.size() || words[i + 1].starts_with("--"))
        fail(ErrorKind::config, where, "a flag without a value", "write " + where + " VALUE");
      value = words[++i];
    }
    std::erase_if(flags.members, [&](const auto& member) { return member.first == flag->name; });
    flags.members.emplace_back(flag->name, value_node(value, where));
  }
  yaml::read_struct(flags, line.flags, {});
  return line;
}

}  // namespace cupel::cli
