#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>

namespace cupel::cli {
namespace {

using pipeline::Verb;

std::string flags_text() {
  std::string out = "Flags\n";
  for (const FieldDoc& flag : describe<pipeline::Flags>()) {
    std::string name = "--" + flag.name;
    std::replace(name.begin(), name.end(), '_', '-');
    if (flag.type != "yes/no") name += flag.type == "path" ? " DIR" : " N";
    out += fmt::format("  {:<12}  {}\n", name, flag.help);
  }
  return out;
}

}  // namespace

std::string help_of_all() {
  std::string out =
      "cupel VERB [recipe.yaml] [--section.key=value …] [flags]\n"
      "Curates text and trains language models; one YAML recipe in, one run folder out.\n\nVerbs\n";
  for (const Verb& verb : pipeline::verbs())
    out += fmt::format("  {:<14}  {}\n", verb.name, verb.summary);
  out += "\n" + flags_text();
  return out +
         "\ncupel VERB --help lists a verb's settings. To begin: cupel init, or cupel run "
         "recipes/quickstart.yaml\n";
}

std::string help_of(const Verb& verb) {
  std::string usage = fmt::format("cupel {}", verb.name);
  if (verb.takes_recipe) usage += verb.is_stage() ? " [recipe.yaml]" : " recipe.yaml";
  if (!verb.words_setting.empty()) usage += fmt::format(" [{}]", verb.words_setting);
  if (verb.is_stage()) usage += " [--key=value …]";
  std::string out = fmt::format("{} [flags]\n{}\n", usage, verb.summary);
  const std::vector<FieldDoc> settings = verb.settings();
  if (!settings.empty()) out += "\nSettings\n" + help_text(settings, "");
  if (verb.is_stage()) {
    out += fmt::format(
        "\nIn a recipe they stand in section \"{}\"; elsewhere on a command line they"
        " are --{}.key=value.\n",
        verb.name, verb.name);
  }
  return out + "\n" + flags_text();
}

}  // namespace cupel::cli
