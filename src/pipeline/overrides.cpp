#include "pipeline/overrides.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/config_doc.h"
#include "base/error.h"
#include "base/text.h"
#include "pipeline/verbs.h"

namespace cupel::pipeline {
namespace {

using yaml::Node;

std::vector<std::string> flag_names() {
  std::vector<std::string> names;
  for_each_field<Flags>([&](const auto& field) { names.emplace_back(field.name); });
  return names;
}

std::string with_dashes(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return "--" + name;
}

/// A word that is neither a flag nor a setting of this verb.
[[noreturn]] void fail_unknown_flag(const Verb& verb, const std::string& where,
                                    const std::string& name) {
  const std::string near = yaml::nearest(name, flag_names());
  if (!near.empty()) {
    fail(ErrorKind::config, where, "unknown flag", "did you mean " + with_dashes(near) + "?");
  }
  for (const std::string& section : section_names()) {
    const Verb& owner = *find_section(section);
    if (&owner == &verb || find_setting(owner.settings(), name) == nullptr) continue;
    fail(ErrorKind::config, where, "names no section",
         "write it as in --" + section + "." + name + "=VALUE");
  }
  fail(ErrorKind::config, where, "unknown flag",
       "cupel " + std::string(verb.name) + " --help lists them");
}

/// An override taken apart: "--a.b=c" is typed `where` "--a.b", name "a.b", first part "a".
struct Override {
  std::string word, where, name, first;
  bool has_value = false;

  bool dotted() const { return name.size() > first.size(); }
};

Override take_apart(const std::string& word) {
  Override result;
  result.word = word;
  result.where = word.substr(0, word.find('='));
  result.has_value = result.where.size() < word.size();
  result.name = result.where.substr(std::min(result.where.find_first_not_of('-'), word.size()));
  std::replace(result.name.begin(), result.name.end(), '-', '_');
  result.first = result.name.substr(0, result.name.find('.'));
  return result;
}

/// The settings that a section names in this recipe: of its stages, or, where it is a hook, those
/// that every training took from it.
std::vector<Node*> settings_of_section(const Verb& section, Recipe& recipe) {
  std::vector<Node*> found;
  for (Stage& stage : recipe.stages) {
    if (stage.verb == &section) found.push_back(&stage.settings);
    if (!recipe.has_hook || section.name != kHookSection || stage.verb->name != "train") continue;
    for (auto& [key, value] : stage.settings.members)
      if (key == kHookSection) found.push_back(&value);
  }
  return found;
}

void override_section(const Override& change, const Verb& section, Recipe& recipe) {
  const std::vector<Node*> found = settings_of_section(section, recipe);
  for (Node* settings : found) {
    Node root{.kind = Node::Kind::map};
    root.members.emplace_back(change.first, std::move(*settings));
    yaml::merge_override(root, change.word);
    *settings = std::move(root.members[0].second);
  }
  if (!found.empty()) return;
  for (const Stage& stage : recipe.stages) {
    if (find_setting(stage.verb->settings(), change.first) == nullptr) continue;
    fail(ErrorKind::config, change.where,
         "this command runs no section \"" + std::string(section.name) + "\"",
         "the setting of \"" + stage.name + "\" is written --" + stage.name + "." + change.name +
             "=VALUE");
  }
  const bool left_out = std::ranges::count(recipe.left_out, section.name) > 0 ||
                        (recipe.has_hook && section.name == kHookSection);
  fail(ErrorKind::config, change.where,
       "this command runs no section \"" + std::string(section.name) + "\"",
       left_out ? "remove it, or run every section with cupel run"
                : "remove it, or add the section to the recipe");
}

}  // namespace

std::string with_value(const std::string& word, const Verb& verb) {
  const Override change = take_apart(word);
  if (change.has_value) return word;
  const std::vector<FieldDoc> settings = verb.settings();
  const FieldDoc* setting = find_setting(settings, change.first);
  if (setting != nullptr && !change.dotted() && setting->type == "yes/no") return word + "=true";
  if (setting == nullptr && !(change.dotted() && find_section(change.first) != nullptr))
    fail_unknown_flag(verb, change.where, change.name);
  fail(ErrorKind::config, change.where, "a setting without a value",
       "write " + change.where + "=VALUE");
}

void apply_override(const std::string& word, Request& request) {
  const Override change = take_apart(word);
  CUPEL_ASSERT(change.has_value);
  const Verb& verb = *request.line.verb;
  const bool dotted = change.dotted();
  const std::vector<FieldDoc> settings = verb.settings();
  const FieldDoc* setting = find_setting(settings, change.first);
  const Verb* section = dotted ? find_section(change.first) : nullptr;
  if (section != nullptr && setting == nullptr) {
    override_section(change, *section, request.recipe);
    return;
  }
  std::vector<std::string> known;
  for (const FieldDoc& field : settings) known.push_back(field.name);
  const bool misspelt = setting == nullptr && !yaml::nearest(change.first, known).empty();
  if (setting == nullptr && !(misspelt || (verb.is_stage() && !dotted))) {
    if (dotted) fail_unknown_section(change.where, change.first);
    fail_unknown_flag(verb, change.where, change.name);
  }
  if (!verb.is_stage()) return yaml::merge_override(request.settings, change.word);
  if (setting == nullptr && !misspelt && !yaml::nearest(change.name, flag_names()).empty())
    fail_unknown_flag(verb, change.where, change.name);
  for (Stage& stage : request.recipe.stages) yaml::merge_override(stage.settings, change.word);
}

void fail_unknown_section(const std::string& where, const std::string& name) {
  const std::string text = "unknown section \"" + clip(name, 80) + "\"";
  std::vector<std::string> known = section_names();
  for (const char* word : {"stages", "seed", "threads"}) known.emplace_back(word);
  const std::string near = yaml::nearest(name, known);
  if (!near.empty()) fail(ErrorKind::config, where, text + ", did you mean \"" + near + "\"?");
  std::string listed;
  for (const std::string& word : known) listed += (listed.empty() ? "" : ", ") + word;
  fail(ErrorKind::config, where, text, "known: " + listed);
}

}  // namespace cupel::pipeline
