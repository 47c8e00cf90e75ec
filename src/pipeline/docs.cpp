#include "pipeline/docs.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/atomic_file.h"
#include "pipeline/resources.h"

namespace cupel::pipeline {
namespace {

std::string usage(const Verb& verb) {
  std::string line = "cupel " + std::string(verb.name);
  if (verb.takes_recipe) line += " recipe.yaml";
  if (!verb.words_setting.empty()) line += " [" + std::string(verb.words_setting) + "]";
  return line;
}

void append_report(const std::vector<FieldDoc>& fields, const std::string& prefix,
                   std::string& out) {
  for (const FieldDoc& field : fields) {
    const bool rows = field.list && !field.children.empty();
    out += "| `" + prefix + field.name + (rows ? "[]" : "") + "` | " + field.help + " |\n";
    append_report(field.children, prefix + field.children_prefix(), out);
  }
}

std::string file_name(const Verb& verb) {
  std::string name(verb.name);
  std::replace(name.begin(), name.end(), ' ', '-');
  return name + ".md";
}

std::string page(const Verb& verb) {
  const std::string name(verb.name);
  std::string summary(verb.summary);
  summary[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(summary[0])));
  std::string out = markdown_text(name, summary + ".\n\n`" + usage(verb) + "`", verb.settings());
  if (verb.settings().empty())
    out = "# " + name + "\n\n" + summary + ".\n\n`" + usage(verb) + "`\n";
  if (!verb.alias.empty())
    out += "\nThe section may be called `" + std::string(verb.alias) + "`.\n";
  for (const Output& output : verb.outputs) {
    out += "\n`${" + name + "." + std::string(output.name) + "}` stands for `" +
           std::string(output.path) + "` of the run folder.\n";
  }
  if (verb.report().empty()) return out;
  out += "\n## Report\n\n| field | meaning |\n|---|---|\n";
  append_report(verb.report(), "", out);
  append_report(describe<Resources>(), "", out);
  return out;
}

std::string index() {
  std::string out =
      "# Reference\n\nMade by `cupel docs`; the first recipe to try is "
      "`recipes/quickstart.yaml`.\n\n| verb | does |\n|---|---|\n";
  for (const Verb& verb : verbs()) {
    const std::string name(verb.name);
    out += "| [`" + name + "`](" + file_name(verb) + ") | " + std::string(verb.summary) + " |\n";
  }
  out +=
      "\nFlags of every verb; a setting is overridden by `--section.key=value`, inside one verb "
      "by `--key=value`.\n\n| flag | meaning |\n|---|---|\n";
  for (const FieldDoc& flag : describe<Flags>()) {
    std::string name = flag.name;
    std::replace(name.begin(), name.end(), '_', '-');
    out += "| `--" + name + "` | " + flag.help + " |\n";
  }
  return out + "\n`recipe.schema.json` is the JSON Schema of a recipe, for editors.\n";
}

}  // namespace

std::string DocsReport::text() const {
  std::string out;
  for (const std::string& file : files) out += file + "\n";
  return out;
}

json::Value recipe_schema() {
  json::Object sections, top;
  for (const Verb& verb : verbs()) {
    if (!verb.is_stage()) continue;
    json::Value section = schema(verb.settings());
    section.set("description", verb.summary);
    if (!verb.alias.empty()) sections.emplace_back(std::string(verb.alias), section);
    sections.emplace_back(std::string(verb.name), std::move(section));
  }
  const json::Value stage = json::Object{{"type", "object"},
                                         {"properties", sections},
                                         {"additionalProperties", false},
                                         {"minProperties", 1},
                                         {"maxProperties", 1}};
  const auto number = [](const char* text, int least) {
    return json::Object{{"type", "integer"}, {"minimum", least}, {"description", text}};
  };
  top = std::move(sections);
  top.emplace_back("seed", number("random seed", 0));
  top.emplace_back("threads", number("0 = all cores", 0));
  top.emplace_back("stages", json::Object{{"type", "array"}, {"items", stage}});
  return json::Object{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                      {"title", "cupel recipe"},
                      {"type", "object"},
                      {"properties", std::move(top)},
                      {"additionalProperties", false}};
}

DocsReport docs(const DocsConfig& config, const Request& request) {
  const std::filesystem::path folder(config.folder);
  const bool dry_run = request.line.flags.dry_run;
  if (!dry_run) make_folders(folder);
  DocsReport report;
  const auto write = [&](const std::string& name, const std::string& text) {
    if (!dry_run) write_file_atomically(folder / name, text);
    report.files.push_back((folder / name).string());
  };
  write("README.md", index());
  for (const Verb& verb : verbs()) write(file_name(verb), page(verb));
  write("recipe.schema.json", json::dump(recipe_schema(), 1) + "\n");
  return report;
}

}  // namespace cupel::pipeline
