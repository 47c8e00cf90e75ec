#include "pipeline/references.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "data/model_path.h"
#include "pipeline/verbs.h"

namespace cupel::pipeline {
namespace {

namespace fs = std::filesystem;
using yaml::Node;

/// Calls visit(node, name), the name as it stands in an override: "tasks.0.path".
template <class Visit>
void for_each_scalar(Node& node, const std::string& name, const Visit& visit) {
  if (node.kind == Node::Kind::scalar) visit(node, name);
  const std::string prefix = name.empty() ? "" : name + ".";
  for (std::size_t i = 0; i < node.items.size(); ++i)
    for_each_scalar(node.items[i], prefix + std::to_string(i), visit);
  for (auto& [key, value] : node.members) for_each_scalar(value, prefix + key, visit);
}

/// "${train.model}/config.json" is section "train", output "model", and what follows the brace.
struct Reference {
  std::string section, output, rest;
};

std::optional<Reference> reference_of(const Node& node) {
  const std::string& text = node.scalar;
  const std::size_t end = text.find('}');
  if (!text.starts_with("${") || end == std::string::npos) return std::nullopt;
  const std::string inside = text.substr(2, end - 2);
  const std::size_t dot = inside.find('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == inside.size()) {
    fail(ErrorKind::config, node.where, "\"" + clip(text, 80) + "\" refers to nothing",
         "write ${section.output}, as in ${train.model}");
  }
  return Reference{inside.substr(0, dot), inside.substr(dot + 1), text.substr(end + 1)};
}

/// The recipe has the section, but this command runs another alone.
[[noreturn]] void fail_left_out(const Node& node, const std::string& name,
                                const Reference& reference, const Stage& stage) {
  std::string path = reference.output;
  for (const Output& output : find_section(reference.section)->outputs) {
    if (output.name == reference.output) path = output.path;
  }
  fail(ErrorKind::config, node.where,
       "\"" + clip(node.scalar, 80) + "\": section \"" + reference.section +
           "\" is not run by cupel " + std::string(stage.verb->name),
       "run all of the recipe with cupel run, or name what an earlier run left, as in --" + name +
           "=runs/EARLIER/" + path);
}

[[noreturn]] void fail_no_stage(const Node& node, const std::string& section, const Recipe& recipe,
                                std::size_t index) {
  std::vector<std::string> earlier;
  for (std::size_t i = 0; i < index; ++i) earlier.push_back(recipe.stages[i].name);
  const std::string near = yaml::nearest(section, earlier);
  fail(ErrorKind::config, node.where,
       "\"" + clip(node.scalar, 80) + "\": no section \"" + clip(section, 80) +
           "\" runs before \"" + recipe.stages[index].name + "\"",
       near.empty() ? "put it before, or give the path of an earlier run's output"
                    : "did you mean \"" + near + "\"?");
}

/// Path of the output below the run's folder. The nearest earlier stage of that name counts.
fs::path output_path(const Node& node, const std::string& name, const Reference& reference,
                     const Recipe& recipe, std::size_t index) {
  for (std::size_t i = index; i-- > 0;) {
    const Stage& stage = recipe.stages[i];
    const bool named = reference.section == stage.name || reference.section == stage.verb->name ||
                       reference.section == stage.verb->alias;
    if (!named) continue;
    std::vector<std::string> known;
    std::string listed;
    for (const Output& output : stage.verb->outputs) {
      if (output.name == reference.output) return stage_folder(stage, {}) / output.path;
      known.emplace_back(output.name);
      listed += (listed.empty() ? "" : ", ") + std::string(output.name);
    }
    const std::string near = yaml::nearest(reference.output, known);
    fail(ErrorKind::config, node.where,
         "\"" + clip(node.scalar, 80) + "\": \"" + stage.name + "\" has no output \"" +
             clip(reference.output, 80) + "\"",
         near.empty() ? "it gives " + (listed.empty() ? "none" : listed)
                      : "did you mean \"" + near + "\"?");
  }
  const Verb* section = find_section(reference.section);
  const auto& others = recipe.left_out;
  const bool left_out =
      section != nullptr && std::find(others.begin(), others.end(), section->name) != others.end();
  if (left_out) fail_left_out(node, name, reference, recipe.stages[index]);
  fail_no_stage(node, reference.section, recipe, index);
}

/// Whether a setting of type path or model says something and not what an earlier stage gives.
bool names_nothing_there(const Path& path) {
  std::error_code ignored;
  return !path.empty() && !path.text.starts_with("${") && !fs::exists(path.text, ignored);
}

void check_path(const Node& node, const FieldDoc& field, const std::string& key,
                const std::string& folder) {
  const Path path = yaml::read_path(node, key, folder);
  if (!names_nothing_there(path)) return;
  const bool name = field.type == "model" && is_hub_name(node.scalar);
  fail(ErrorKind::config, node.where,
       "\"" + key + "\": no such file or folder: " + clip(path.text, 200),
       name                            ? describe_hub_cache()
       : yaml::from_command_line(node) ? "name one that is there"
                                       : "paths are relative to the recipe's folder");
}

/// Calls visit(node, field, key) for every scalar that is a value of a setting.
template <class Tree, class Visit>
void for_each_setting(Tree& node, const FieldDoc& field, const std::string& key,
                      const Visit& visit) {
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    for_each_setting(node.items[i], field, key + "[" + std::to_string(i) + "]", visit);
  }
  for (auto& [name, value] : node.members) {
    const FieldDoc* child = find_setting(field.children, name);
    if (child != nullptr) for_each_setting(value, *child, key + "." + child->name, visit);
  }
  if (node.kind != Node::Kind::scalar) return;
  const FieldDoc* child = find_setting(field.children, field.shorthand);
  if (child != nullptr) return for_each_setting(node, *child, key + "." + child->name, visit);
  visit(node, field, key);
}

}  // namespace

fs::path stage_folder(const Stage& stage, const fs::path& folder) {
  return stage.apart ? folder / stage.name : folder;
}

void check_references(const Recipe& recipe) {
  for (std::size_t i = 0; i < recipe.stages.size(); ++i) with_outputs(recipe, i, {});
}

yaml::Node with_outputs(const Recipe& recipe, std::size_t index, const fs::path& folder) {
  Node settings = recipe.stages[index].settings;
  for_each_scalar(settings, "", [&](Node& node, const std::string& name) {
    const auto reference = reference_of(node);
    if (!reference) return;
    const fs::path path = folder / output_path(node, name, *reference, recipe, index);
    node.scalar = fs::absolute(path).lexically_normal().string() + reference->rest;
  });
  return settings;
}

void find_models(Node& settings, const FieldDoc& section, const std::string& folder) {
  const auto find = [&](Node& node, const FieldDoc& field, const std::string& key) {
    if (field.type != "model" || !names_nothing_there(yaml::read_path(node, key, folder))) return;
    if (const auto cached = find_cached_model(node.scalar)) node.scalar = cached->string();
  };
  for_each_setting(settings, section, section.name, find);
}

void find_models(Recipe& recipe) {
  for (Stage& stage : recipe.stages) {
    FieldDoc section;
    section.name = stage.name;
    section.children = stage.verb->settings();
    find_models(stage.settings, section, recipe.folder());
  }
}

void check_inputs(const Recipe& recipe) {
  for (const Stage& stage : recipe.stages) {
    FieldDoc section;
    section.children = stage.verb->settings();
    const auto check = [&](const Node& node, const FieldDoc& field, const std::string& key) {
      if (field.type == "path" || field.type == "model")
        check_path(node, field, key, recipe.folder());
    };
    for_each_setting(stage.settings, section, stage.name, check);
  }
}

}  // namespace cupel::pipeline
