#include "pipeline/recipe.h"

#include <algorithm>
#include <utility>

#include "base/atomic_file.h"
#include "base/config_doc.h"
#include "base/error.h"
#include "base/text.h"
#include "pipeline/overrides.h"
#include "pipeline/processes.h"
#include "pipeline/references.h"
#include "pipeline/verbs.h"

namespace cupel::pipeline {
namespace {

using yaml::Node;

/// What stands at the top of a recipe beside its sections.
struct Header {
  int64_t seed = 0;
  int threads = 0;
  static constexpr auto fields() {
    return std::tuple{Field{"seed", &Header::seed, "random seed", 0, 9e15},
                      Field{"threads", &Header::threads, "0 = all cores", 0, 1e4}};
  }
};

void add_stage(const std::string& name, const Node& section, Recipe& recipe) {
  const Verb* verb = find_section(name);
  if (verb == nullptr) fail_unknown_section(section.key_where, name);
  const auto same = std::count_if(recipe.stages.begin(), recipe.stages.end(),
                                  [&](const Stage& stage) { return stage.verb == verb; });
  Stage stage{verb, std::string(verb->name), section};
  if (same > 0) stage.name += "-" + std::to_string(same + 1);
  // An empty section has settings too: the defaults, which may lack something.
  if (section.kind == Node::Kind::null) {
    stage.settings.kind = Node::Kind::map;
    stage.settings.where = section.key_where;
  }
  recipe.stages.push_back(std::move(stage));
}

/// A section of a recipe without a list. `train` and `training` are one, in two parts.
void add_section(const std::string& name, const Node& section, Recipe& recipe) {
  const Verb* verb = find_section(name);
  const auto other =
      std::find_if(recipe.stages.begin(), recipe.stages.end(),
                   [&](const Stage& stage) { return verb != nullptr && stage.verb == verb; });
  if (other == recipe.stages.end()) return add_stage(name, section, recipe);
  if (section.kind == Node::Kind::null) return;
  if (section.kind != Node::Kind::map) yaml::fail_not_a_map(section, name);
  for (const auto& [key, value] : section.members) {
    if (const Node* first = other->settings.find(key)) {
      fail(ErrorKind::config, value.key_where,
           "duplicate key \"" + clip(key, 80) + "\", first at " + first->key_where,
           "keep one of the two");
    }
    other->settings.members.emplace_back(key, value);
  }
}

void add_stage_list(const Node& list, Recipe& recipe) {
  if (list.kind != Node::Kind::sequence) yaml::fail_not_a_list(list, "stages");
  for (const Node& item : list.items) {
    if (item.kind != Node::Kind::map || item.members.size() != 1) {
      fail(ErrorKind::config, item.where, "a stage must be a map with one key",
           "write it as in - train: {…}");
    }
    add_stage(item.members[0].first, item.members[0].second, recipe);
  }
}

/// `augment` without rows of its own is what train.augment is, for every training of the recipe.
void take_hooks(Recipe& recipe) {
  const auto is_hook = [](const Stage& stage) {
    return stage.verb->name == kHookSection && stage.settings.find("input") == nullptr &&
           stage.settings.find("simulate") == nullptr;
  };
  const auto hook = std::ranges::find_if(recipe.stages, is_hook);
  if (hook == recipe.stages.end()) return;
  bool taken = false;
  for (Stage& stage : recipe.stages) {
    if (stage.verb->name != "train") continue;
    if (const Node* own = stage.settings.find(kHookSection)) {
      fail(ErrorKind::config, hook->settings.key_where,
           "the training has an \"augment\" of its own, at " + own->key_where,
           "keep one of the two");
    }
    stage.settings.members.emplace_back(kHookSection, hook->settings);
    taken = true;
  }
  if (taken) recipe.stages.erase(hook);
  recipe.has_hook = taken;
}

Recipe parse_recipe(const std::string& file) {
  Recipe recipe;
  recipe.file = file;
  const std::filesystem::path path(file);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    const bool is_run = std::filesystem::exists(path / "config.yaml", ignored);
    fail(ErrorKind::config, file, "is a folder, and a recipe is a file",
         is_run ? "the recipe of this run is " + (path / "config.yaml").string()
                : "name the .yaml file; a setting is written --key=value");
  }
  recipe.text = read_file(file);
  const Node root = yaml::parse(recipe.text, file);
  if (root.kind == Node::Kind::null) {
    fail(ErrorKind::config, file, "an empty recipe", "write a section, or begin with cupel init");
  }
  if (root.kind != Node::Kind::map) yaml::fail_not_a_map(root, "");
  Node top{.kind = Node::Kind::map};
  const Node* list = root.find("stages");
  for (const auto& [name, value] : root.members) {
    if (name == "seed" || name == "threads") {
      top.members.emplace_back(name, value);
    } else if (&value == list) {
      add_stage_list(value, recipe);
    } else if (list != nullptr) {
      fail(ErrorKind::config, value.key_where,
           "section \"" + clip(name, 80) + "\" beside \"stages\" at " + list->key_where,
           "move it into the list");
    } else {
      add_section(name, value, recipe);
    }
  }
  Header header;
  yaml::read_struct(top, header, {});
  recipe.seed = header.seed;
  recipe.threads = recipe.stated_threads = header.threads;
  take_hooks(recipe);
  if (recipe.stages.empty()) {
    fail(ErrorKind::config, file, "a recipe without a section",
         "write one, or begin with cupel init");
  }
  return recipe;
}

/// The stages that a verb runs: all, or those of its own.
void select_stages(const Verb& verb, Recipe& recipe) {
  if (!verb.is_stage()) return;
  for (const Stage& stage : recipe.stages) {
    if (stage.verb != &verb) recipe.left_out.push_back(stage.name);
  }
  std::erase_if(recipe.stages, [&](const Stage& stage) { return stage.verb != &verb; });
  if (!recipe.stages.empty()) return;
  if (recipe.has_hook && verb.name == kHookSection) {
    fail(ErrorKind::config, recipe.file,
         "has a section \"augment\" without rows, which belongs to the training beside it",
         "run it with cupel train or cupel run, or give it rows: input (a table) or simulate");
  }
  fail(ErrorKind::config, recipe.file, "has no section \"" + std::string(verb.name) + "\"",
       "add it, or run the sections it has with cupel run");
}

[[noreturn]] void refuse_word(const std::string& word, const std::string& text,
                              const std::string& hint) {
  fail(ErrorKind::config, clip(word, 80), text, hint);
}

/// The words of a verb without a recipe, as the value of the setting that they stand for.
Node words_node(const CommandLine& line) {
  const Verb& verb = *line.verb;
  const std::vector<std::string>& words = line.words;
  const std::string where = "--" + std::string(verb.words_setting);
  const std::vector<FieldDoc> settings = verb.settings();
  const FieldDoc* setting = find_setting(settings, verb.words_setting);
  Node list{.kind = Node::Kind::sequence, .where = where, .key_where = where};
  for (const std::string& word : words) {
    list.items.push_back({Node::Kind::scalar, word, true, {}, {}, where, where});
  }
  CUPEL_ASSERT(setting != nullptr);
  if (setting->list) return list;
  if (words.size() > 1)
    refuse_word(words[1], "a word too many", "cupel " + std::string(verb.name) + " takes one");
  return list.items[0];
}

/// Words that stand for a setting each, in order.
void take_words_in_order(const CommandLine& line, Node& settings) {
  const Verb& verb = *line.verb;
  std::string_view names = verb.words_setting;
  for (const std::string& word : line.words) {
    if (names.empty()) {
      const auto count = std::ranges::count(verb.words_setting, ' ') + 1;
      refuse_word(word, "a word too many",
                  "cupel " + std::string(verb.name) + " takes " + std::to_string(count));
    }
    const std::string_view name = names.substr(0, names.find(' '));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    const std::string where = "--" + std::string(name);
    settings.members.emplace_back(name, Node{Node::Kind::scalar, word, true, {}, {}, where, where});
  }
}

bool share_outputs(const Stage& a, const Stage& b) {
  return a.verb == b.verb || std::ranges::any_of(a.verb->outputs, [&](const Output& output) {
           return std::ranges::find(b.verb->outputs, output.path, &Output::path) !=
                  b.verb->outputs.end();
         });
}

/// Two stages of a run must not write the same files.
void set_apart(Recipe& recipe) {
  for (std::size_t i = 0; i < recipe.stages.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      recipe.stages[i].apart |= share_outputs(recipe.stages[i], recipe.stages[j]);
}

void take_words(Request& request) {
  const Verb& verb = *request.line.verb;
  const std::vector<std::string>& words = request.line.words;
  const std::string command = "cupel " + std::string(verb.name);
  if (verb.takes_recipe && words.size() == 1) {
    request.recipe = parse_recipe(words[0]);
    select_stages(verb, request.recipe);
  } else if (verb.takes_recipe && words.size() > 1) {
    refuse_word(words[1], "a second recipe", "give one at a time");
  } else if (verb.takes_recipe && (!verb.is_stage() || request.line.overrides.empty())) {
    fail(ErrorKind::config, command, "no recipe is named",
         "give one, as in " + command + " recipe.yaml; cupel init writes one");
  } else if (!words.empty() && verb.words_setting.empty()) {
    refuse_word(words[0], "a word too many", command + " takes none");
  }
  if (verb.is_stage() && request.recipe.stages.empty()) {
    const std::string where = "[" + std::string(verb.name) + "]";
    const Node empty{.kind = Node::Kind::map, .where = where};
    request.recipe.stages.push_back({&verb, std::string(verb.name), empty});
  }
  set_apart(request.recipe);
  request.settings.kind = Node::Kind::map;
  if (words.empty() || verb.words_setting.empty()) return;
  Node& settings = verb.is_stage() ? request.recipe.stages[0].settings : request.settings;
  if (verb.words_setting.find(' ') != std::string_view::npos) {
    take_words_in_order(request.line, settings);
  } else {
    settings.members.emplace_back(verb.words_setting, words_node(request.line));
  }
}

/// The same settings with paths that hold wherever they are read: a resolved recipe lies in another
/// folder than the one it was made from.
json::Value with_absolute_paths(const json::Value& value, const FieldDoc& field) {
  if (value.is_array()) {
    json::Array list;
    for (const json::Value& item : value.as_array(field.name))
      list.push_back(with_absolute_paths(item, field));
    return list;
  }
  if (value.is_object() && !field.children.empty()) {
    json::Object members;
    for (const auto& [name, member] : value.as_object(field.name)) {
      const FieldDoc* child = find_setting(field.children, name);
      CUPEL_ASSERT(child != nullptr);
      members.emplace_back(name, with_absolute_paths(member, *child));
    }
    return members;
  }
  const bool path = field.type == "path" || field.type == "model";
  if (!path || !value.is_string()) return value;
  const std::string& text = value.as_string(field.name);
  if (text.empty() || text.find("${") != std::string::npos) return value;
  return std::filesystem::absolute(text).lexically_normal().string();
}

json::Value resolved(const Stage& stage, const Recipe& recipe) {
  FieldDoc section;
  section.children = stage.verb->settings();
  return with_absolute_paths(stage.verb->resolve(stage.settings, {stage.name, recipe.folder()}),
                             section);
}

}  // namespace

Request make_request(CommandLine line, const Heavy& heavy) {
  Request request;
  request.line = std::move(line);
  request.heavy = heavy;
  for (std::string& word : request.line.overrides) word = with_value(word, *request.line.verb);
  take_words(request);
  for (const std::string& word : request.line.overrides) apply_override(word, request);
  if (request.line.flags.nproc) set_processes(*request.line.flags.nproc, request.recipe);
  Recipe& recipe = request.recipe;
  if (recipe.file.empty()) {
    for (const Stage& stage : recipe.stages) {
      Node root{.kind = Node::Kind::map};
      root.members.emplace_back(stage.name, stage.settings);
      recipe.text += yaml::dump(root);
    }
  }
  recipe.seed = request.line.flags.seed.value_or(recipe.seed);
  recipe.threads = request.line.flags.threads.value_or(recipe.threads);
  for (const Stage& stage : recipe.stages) resolved(stage, recipe);
  find_models(recipe);
  process_count(recipe);
  check_references(recipe);
  check_inputs(recipe);
  return request;
}

std::string resolved_config(const Recipe& recipe) {
  json::Object root{{"seed", recipe.seed}};
  if (recipe.stated_threads > 0) root.emplace_back("threads", recipe.stated_threads);
  json::Array list;
  bool repeats = false;
  for (const Stage& stage : recipe.stages) {
    const std::string name(stage.verb->name);
    repeats = repeats || stage.name != name;
    list.push_back(json::Object{{name, resolved(stage, recipe)}});
  }
  if (repeats) {
    root.emplace_back("stages", std::move(list));
  } else {
    for (const json::Value& item : list) root.push_back(item.as_object("").front());
  }
  return to_yaml(root);
}

}  // namespace cupel::pipeline
