#include "pipeline/init.h"

#include <cmath>
#include <filesystem>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"

namespace cupel::pipeline {
namespace {

constexpr std::size_t kCommentColumn = 40;

std::string notes(const FieldDoc& field) {
  std::string out = field.help;
  std::string choices;
  for (const std::string& choice : field.choices) choices += (choices.empty() ? "" : ", ") + choice;
  if (!choices.empty()) out += " (" + choices + ")";
  const bool low = std::isfinite(field.low), high = std::isfinite(field.high);
  const auto number = [](double value) {
    const std::string text = shortest(value);
    return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
  };
  if (low && high) out += " [" + number(field.low) + " … " + number(field.high) + "]";
  if (low && !high) out += " [≥ " + number(field.low) + "]";
  if (!low && high) out += " [≤ " + number(field.high) + "]";
  return out;
}

/// "# name: default   # meaning", settings inside settings below; `lead` stands before the name.
void append_settings(const std::vector<FieldDoc>& fields, const std::string& lead,
                     std::string& out) {
  std::string before = lead;
  for (const FieldDoc& field : fields) {
    const bool nested = !field.children.empty();
    std::string line = "  # " + before + field.name + ":";
    if (!nested) line += " " + field.default_text;
    if (line.size() < kCommentColumn) line.resize(kCommentColumn, ' ');
    out += line + "  # " + notes(field) + "\n";
    before = std::string(lead.size(), ' ');
    if (nested) append_settings(field.children, before + (field.list ? "  - " : "  "), out);
  }
}

}  // namespace

std::string InitReport::text() const {
  if (dry_run) return "would write " + path + "\n";
  return "wrote " + path + "\nnext: cupel validate " + path + ", then cupel run " + path + "\n";
}

std::string commented_section(const Verb& verb) {
  std::string out = "# " + std::string(verb.summary) + "\n" + std::string(verb.name) + ":\n";
  out += verb.example;
  out += "\n  # Every setting at its default:\n";
  append_settings(verb.settings(), "", out);
  return out;
}

InitReport init(const InitConfig& config, const Request& request) {
  std::vector<const Verb*> chosen;
  for (const std::string& name : config.sections) {
    chosen.push_back(find_section(name));
    if (chosen.back() != nullptr) continue;
    const std::string near = yaml::nearest(name, section_names());
    std::string known;
    for (const std::string& section : section_names())
      known += (known.empty() ? "" : ", ") + section;
    fail(ErrorKind::config, clip(name, 80), "no section of a recipe",
         near.empty() ? "known: " + known : "did you mean \"" + near + "\"?");
  }
  if (config.sections.empty()) {
    for (const Verb& verb : verbs()) {
      if (!verb.example.empty()) chosen.push_back(&verb);
    }
  }
  const Path& out = request.line.flags.out;
  InitReport report{out.empty() ? "recipe.yaml" : out.text, {}};
  std::error_code ignored;
  if (std::filesystem::exists(report.path, ignored)) {
    fail(ErrorKind::config, report.path, "exists already", "name another file with --out");
  }
  std::string text = "# Run it with: cupel run " + report.path + "\nseed: 0\n";
  for (const Verb* verb : chosen) {
    text += "\n" + commented_section(*verb);
    report.sections.emplace_back(verb->name);
  }
  report.dry_run = request.line.flags.dry_run;
  if (!report.dry_run) write_file_atomically(report.path, text);
  return report;
}

}  // namespace cupel::pipeline
