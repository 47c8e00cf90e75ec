// What a command line asks for: flags, the stages of a recipe, overrides; checked before anything
// runs.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_yaml.h"
#include "base/json.h"
#include "base/run.h"
#include "pipeline/heavy.h"

namespace cupel::pipeline {

struct Verb;

/// The words that every verb takes.
struct Flags {
  Path out;
  std::optional<int64_t> seed;
  std::optional<int> threads;
  std::optional<int64_t> nproc;
  bool resume = false;
  bool dry_run = false;
  bool json = false;
  bool help = false;
  bool version = false;
  static constexpr auto fields() {
    using C = Flags;
    return std::tuple{
        Field{"out", &C::out, "folder of the run; default: runs/VERB-TIME-XXXX"},
        Field{"seed", &C::seed, "random seed; default: the recipe's, else 0", 0, 9e15},
        Field{"threads", &C::threads, "threads to use; default: the recipe's, else all cores", 1,
              1e4},
        Field{"nproc", &C::nproc, "processes that train one model; default: the recipe's, else 1",
              1, 1e4},
        Field{"resume", &C::resume, "go on with the run in --out, or begin it"},
        Field{"dry_run", &C::dry_run, "check the recipe, plan memory and time, touch nothing"},
        Field{"json", &C::json, "the report on standard output, all else on standard error"},
        Field{"help", &C::help, "what a verb does and its settings"},
        Field{"version", &C::version, "the version, and LibTorch's where it is loaded"}};
  }
};

/// A command line, taken apart by cli/. Overrides are as typed, with their dashes.
struct CommandLine {
  const Verb* verb = nullptr;
  Flags flags;
  std::vector<std::string> words, overrides;
};

/// The section that, without rows of its own, is a setting of the trainings beside it.
inline constexpr const char* kHookSection = "augment";

/// A section of a recipe with its overrides, in the order in which it runs.
struct Stage {
  const Verb* verb = nullptr;
  std::string name;  // of the verb; "train-2" is the second of its kind
  yaml::Node settings;
  bool apart =
      false;  // writes into a folder of its name, as an earlier stage has outputs of its own
};

struct Recipe {
  std::string file, text;  // text: as given; of a command line without a recipe, its settings
  int64_t seed = 0;
  int threads = 0;         // 0: all cores
  int stated_threads = 0;  // the recipe's own, whatever the command line says
  std::vector<Stage> stages;
  std::vector<std::string> left_out;  // stages of the file that this command does not run
  bool has_hook = false;              // the section kHookSection became a setting of every training
  std::string folder() const { return std::filesystem::path(file).parent_path().string(); }
};

/// For a verb that talks while it works; cli/ connects it to standard input and output.
struct Console {
  std::function<std::optional<std::string>()> read_line;  // without its end; nothing at the end
  std::function<void(std::string_view)> write;            // nowhere under --json
};

/// Everything a verb may use.
struct Request {
  CommandLine line;
  Recipe recipe;        // without stages where the verb takes none
  yaml::Node settings;  // of a verb that is no stage
  Heavy heavy;
  std::vector<Sink> sinks;
  Console console;
  std::optional<nn::Ranks> ranks;  // of this process, where it is one of several
  const std::atomic<bool>* stop = nullptr;
};

/// Reads the recipe that the words name, merges the overrides and the flags, and checks it all:
/// sections, every setting, references, input files. Throws Error{config} with the place.
Request make_request(CommandLine line, const Heavy& heavy);

/// config.yaml: every setting of every stage, itself a recipe. Paths are absolute, so that it means
/// the same in the run folder.
std::string resolved_config(const Recipe& recipe);

/// Settings of a stage as its verb's struct; references stay as they are.
template <class C>
C settings_of(const Stage& stage, const Recipe& recipe) {
  C settings;
  yaml::read_struct(stage.settings, settings, {stage.name, recipe.folder()});
  return settings;
}

}  // namespace cupel::pipeline
