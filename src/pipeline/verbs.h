// The list of verbs, one row a verb, and what a row is made of: settings, report and function.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_doc.h"
#include "pipeline/recipe.h"

namespace cupel::pipeline {

/// `${verb.name}` in a recipe stands for `path` in the run folder.
struct Output {
  std::string_view name, path;
};

struct Result {
  json::Value report;
  std::string text;     // for people; empty: the report's own fields
  std::string details;  // for people, below those fields
  int exit_code = 0;
};

/// One row. A verb with `run` is a stage: a section of recipes, with a run folder. A verb with
/// `answer` looks or writes once and leaves no run. A verb with neither runs a whole recipe.
struct Verb {
  std::string_view name, summary;
  std::vector<FieldDoc> (*settings)();
  std::vector<FieldDoc> (*report)();
  json::Value (*resolve)(const yaml::Node& settings, const yaml::Context& context);
  std::function<Result(const yaml::Node&, const yaml::Context&, const Heavy&, Run&)> run = {};
  std::function<Result(const yaml::Node&, const Request&)> answer = {};
  bool needs_torch = false;
  bool takes_recipe = false;            // its word is a recipe
  std::string_view words_setting = {};  // else its words are this setting, or one of these each
  std::string_view alias = {};          // another name of its section
  std::vector<Output> outputs = {};
  std::string_view example = {};  // settings to begin with, indented as in a section

  /// Another name of the section.
  Verb also(std::string_view name_too) &&;
  /// An output that later stages may refer to.
  Verb gives(std::string_view output, std::string_view path) &&;
  /// The settings that `init` writes first.
  Verb begins_with(std::string_view settings_text) &&;
  /// A verb that looks, with a model: it needs the program with LibTorch.
  Verb with_a_model() &&;
  /// The verb's word is a recipe; true of every stage that has no words.
  Verb recipe() &&;
  /// The verb's words are setting `setting`, as in `init train`; of several settings, with spaces
  /// between their names, one word each, as in `curate explain runs/a 17`.
  Verb words(std::string_view setting) &&;

  bool is_stage() const { return static_cast<bool>(run); }
};

/// All verbs, in the order in which help shows them.
const std::vector<Verb>& verbs();
/// Throws Error{config} that names the nearest verb.
const Verb& find_verb(std::string_view name);
/// `verb` with a second word, as in "curate explain", or null pointer.
const Verb* find_mode(const Verb& verb, std::string_view word);
/// The stage whose section is called so, or null pointer.
const Verb* find_section(std::string_view name);
std::vector<std::string> section_names();
/// The field of that name or alias, or null pointer.
const FieldDoc* find_setting(const std::vector<FieldDoc>& fields, std::string_view name);

/// Settings of a verb that has none.
struct NoSettings {
  static constexpr auto fields() { return std::tuple{}; }
};

namespace row_detail {

template <class C>
C read(const yaml::Node& node, const yaml::Context& context) {
  C settings;
  yaml::read_struct(node, settings, context);
  return settings;
}

template <class C>
json::Value resolve(const yaml::Node& node, const yaml::Context& context) {
  return to_json(read<C>(node, context));
}

template <class C, class R>
Verb row(std::string_view name, std::string_view summary) {
  return {name, summary, &describe<C>, &describe<R>, &resolve<C>};
}

template <class R>
Result result_of(const R& report) {
  Result result;
  result.report = to_json(report);
  if constexpr (requires { report.text(); }) result.text = report.text();
  if constexpr (requires { report.details(); }) result.details = report.details();
  if constexpr (requires { report.exit_code(); }) result.exit_code = report.exit_code();
  return result;
}

template <class C, class R, class Call>
Verb stage(std::string_view name, std::string_view summary, Call call) {
  Verb verb = row<C, R>(name, summary);
  verb.takes_recipe = true;
  verb.run = [call](const yaml::Node& node, const yaml::Context& context, const Heavy& heavy,
                    Run& run) { return result_of(call(read<C>(node, context), heavy, run)); };
  return verb;
}

// What the kind of a row follows from: the signature of its function.
template <auto f, class C, class R>
Verb from(R (*)(const C&, Run&), std::string_view name, std::string_view summary) {
  return stage<C, R>(name, summary,
                     [](const C& config, const Heavy&, Run& run) { return f(config, run); });
}

template <auto f, class C, class R>
Verb from(R (*)(const C&, const Heavy&, Run&), std::string_view name, std::string_view summary) {
  Verb verb = stage<C, R>(name, summary, f);
  verb.needs_torch = true;
  return verb;
}

template <auto f, class C, class R>
Verb from(R (*)(const C&, const Request&), std::string_view name, std::string_view summary) {
  Verb verb = row<C, R>(name, summary);
  verb.answer = [name](const yaml::Node& node, const Request& request) {
    return result_of(f(read<C>(node, {std::string(name), {}}), request));
  };
  return verb;
}

}  // namespace row_detail

/// The row of function `f`. `Report f(const Config&, Run&)` is a stage, `Report f(const Config&,
/// const Heavy&, Run&)` one that needs LibTorch, `Report f(const Config&, const Request&)` a verb
/// that leaves no run. Optional members of its Report: `std::string text() const`, what people
/// read in place of the figures; `std::string details() const`, what they read below them; `int
/// exit_code() const`.
template <auto f>
Verb verb(std::string_view name, std::string_view summary) {
  return row_detail::from<f>(f, name, summary);
}

/// The row of a stage that only the program with LibTorch has.
template <class C, class R>
Verb verb(std::string_view name, std::string_view summary, R (*Heavy::*function)(const C&, Run&)) {
  Verb row = row_detail::stage<C, R>(
      name, summary,
      [function](const C& c, const Heavy& heavy, Run& run) { return (heavy.*function)(c, run); });
  row.needs_torch = true;
  return row;
}

}  // namespace cupel::pipeline
