#include "cli/app.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/help.h"
#include "cli/launch.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "pipeline/execute.h"
#include "pipeline/figures.h"
#include "pipeline/plan.h"
#include "pipeline/processes.h"
#include "pipeline/program.h"
#include "pipeline/resources.h"

namespace cupel::cli {
namespace {

namespace fs = std::filesystem;
using pipeline::Request;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The command that goes on with the run in `folder`.
std::string resume_command(const std::vector<std::string>& words, const Request& request,
                           const fs::path& folder) {
  std::vector<std::string> line{"cupel"};
  line.insert(line.end(), words.begin(), words.end());
  if (request.line.flags.out.empty()) line.push_back("--out=" + folder.string());
  if (!request.line.flags.resume) line.emplace_back("--resume");
  return pipeline::shell_line(line);
}

void print_json(const json::Value& value) { std::cout << json::dump(value, 2) << std::endl; }

/// The report of a verb that leaves no run, with what it took since `begin`: reading a recipe too.
void print_answer(json::Value report, double begin, const Request& request) {
  pipeline::add_resources(report, steady_seconds() - begin, request.recipe.threads);
  print_json(report);
}

void print_summary(const pipeline::Executed& done) {
  const json::Object& reports = done.report.as_object("report");
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const std::string& text = done.texts[i];
    std::cout << reports[i].first << "\n"
              << (text.empty() ? pipeline::figures_text(reports[i].second) : text);
  }
  const fs::path page = done.folder / "report.html";
  std::cout << "report: " << (fs::exists(page) ? page : done.folder / "report.json").string()
            << std::endl;
}

/// Every rank but the first speaks under its name, and of what went wrong alone.
int run_as_follower(Request& request) {
  const std::string name = "rank " + std::to_string(request.ranks->rank) + ": ";
  request.sinks.push_back([&](const Event& event) {
    if (event.kind == Event::Kind::log && event.level == LogLevel::warning)
      say(name + "warning: " + std::string(event.text) + "\n");
  });
  request.stop = &watch_signals(/*speaks=*/false);  // rank 0 does
  try {
    return pipeline::execute(request, {}).exit_code;
  } catch (const Interrupted&) {
    return kInterrupted;
  } catch (const Error& error) {
    say(coloured(standard_error(), "31", name + error.what()) + "\n");
    return exit_code(error.kind());
  }
}

int run_stages(Request& request, const std::vector<std::string>& words) {
  const Screen screen = standard_error();
  Terminal terminal(screen, say, steady_seconds);
  request.sinks.push_back([&](const Event& event) { terminal(event); });
  request.stop = &watch_signals();
  const fs::path folder = pipeline::run_folder(request);
  const auto tell_resume = [&] {
    say("go on with:\n  " + resume_command(words, request, folder) + "\n");
  };
  try {
    const pipeline::Executed done = pipeline::execute(request, folder);
    terminal.clear();
    if (request.line.flags.json) {
      print_json(done.report);
    } else {
      print_summary(done);
    }
    return done.exit_code;
  } catch (const Interrupted& interrupted) {
    terminal.clear();
    say(std::string(interrupted.what()) + "\n");
    tell_resume();
    return kInterrupted;
  } catch (const Error& error) {
    terminal.clear();
    say(coloured(screen, "31", error.what()) + "\n");
    if (error.kind() == ErrorKind::resource && fs::exists(folder / "config.yaml")) tell_resume();
    return exit_code(error.kind());
  }
}

/// Lines of standard input, behind a prompt where a person writes them; text to standard output.
pipeline::Console console(bool json) {
  const bool asks = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
  return {[asks]() -> std::optional<std::string> {
            if (asks) say("> ");
            std::string line;
            return std::getline(std::cin, line) ? std::optional(line) : std::nullopt;
          },
          [json](std::string_view text) {
            if (!json) std::cout << text << std::flush;
          }};
}

int answer(Request& request, double begin) {
  const pipeline::Verb& verb = *request.line.verb;
  request.console = console(request.line.flags.json);
  if (verb.needs_torch) request.stop = &watch_signals(/*speaks=*/false);
  Terminal terminal(standard_error(), say, steady_seconds);
  request.sinks.push_back([&](const Event& event) { terminal(event); });
  const pipeline::Result result = verb.answer(request.settings, request);
  terminal.clear();
  if (request.line.flags.json) {
    print_answer(result.report, begin, request);
  } else {
    std::cout << (result.text.empty() ? pipeline::figures_text(result.report) : result.text)
              << std::flush;
  }
  return result.exit_code;
}

/// `--dry-run`: what the recipe plans, in place of doing it.
int answer_with_plan(Request& request, double begin) {
  const pipeline::PlanReport report = pipeline::plan({}, request);
  if (request.line.flags.json) {
    print_answer(to_json(report), begin, request);
  } else {
    std::cout << report.text() << std::flush;
  }
  return 0;
}

int dispatch(const std::vector<std::string>& words, char** argv, const pipeline::Heavy& heavy) {
  const double begin = steady_seconds();
  pipeline::CommandLine line = parse_arguments(words);
  if (line.flags.version) {
    std::cout << pipeline::version_line(heavy) << std::endl;
    return 0;
  }
  if (line.flags.help || words.empty()) {
    std::cout << (line.verb == nullptr ? help_of_all() : help_of(*line.verb)) << std::flush;
    return 0;
  }
  if (line.verb == nullptr) fail_without_verb(line);
  Request request = pipeline::make_request(std::move(line), heavy);
  request.ranks =
      pipeline::ranks_of_environment([](const char* name) { return std::getenv(name); });
  if (request.line.flags.dry_run && !request.recipe.stages.empty())
    return answer_with_plan(request, begin);
  const bool looks = static_cast<bool>(request.line.verb->answer);
  if (!looks && pipeline::is_launcher(request)) return launch(request, words);
  if (pipeline::needs_heavy_program(request)) pipeline::become(pipeline::heavy_program(), argv);
  if (looks) return answer(request, begin);
  return request.ranks && request.ranks->rank > 0 ? run_as_follower(request)
                                                  : run_stages(request, words);
}

}  // namespace

int main(int argc, char** argv, const pipeline::Heavy& heavy) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto complain = [](const std::string& text) {
    say(coloured(standard_error(), "31", text) + "\n");
  };
  try {
    const int code = dispatch(words, argv, heavy);
    if (!std::cout) {
      fail(ErrorKind::resource, "standard output", "cannot be written",
           "see that its disk has room and its reader runs");
    }
    return code;
  } catch (const Interrupted&) {
    return kInterrupted;  // of a verb that leaves no run: there is nothing to go on with
  } catch (const Error& error) {
    complain(error.what());
    return exit_code(error.kind());
  } catch (const std::bad_alloc&) {
    complain("[cupel] out of memory; cupel plan tells what a recipe needs");
    return exit_code(ErrorKind::resource);
  } catch (const std::exception& error) {
    complain(std::string("[cupel] ") + error.what() + "; this is a bug in cupel, please report it");
    return exit_code(ErrorKind::bug);
  }
}

}  // namespace cupel::cli
