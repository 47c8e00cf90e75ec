#include "cli/launch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "pipeline/execute.h"
#include "pipeline/processes.h"
#include "pipeline/program.h"

namespace cupel::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kNoProgram = 127;
/// The others notice within milliseconds, unless they compute.
constexpr std::chrono::seconds kGrace{10};

/// Text as execve() takes it; the strings live as long as the object.
class Pointers {
 public:
  explicit Pointers(std::vector<std::string> texts) : texts_(std::move(texts)) {
    for (std::string& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
  }
  char* const* get() const { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

/// `environment` with `name` set.
void set(std::vector<std::string>& environment, const std::string& name, const std::string& value) {
  std::erase_if(environment, [&](const std::string& each) { return each.starts_with(name + "="); });
  environment.push_back(name + "=" + value);
}

std::vector<std::string> environment_of(int rank, int64_t size,
                                        const pipeline::Listener& listener) {
  std::vector<std::string> environment;
  for (char** each = environ; *each != nullptr; ++each) environment.emplace_back(*each);
  if (std::getenv(pipeline::kSpinVariable) == nullptr)
    set(environment, pipeline::kSpinVariable, pipeline::kSpinCount);
  set(environment, "RANK", std::to_string(rank));
  set(environment, "LOCAL_RANK", std::to_string(rank));
  set(environment, "WORLD_SIZE", std::to_string(size));
  set(environment, "MASTER_ADDR", "127.0.0.1");
  set(environment, "MASTER_PORT", std::to_string(listener.port));
  if (rank == 0) set(environment, pipeline::kListenerVariable, std::to_string(listener.socket));
  return environment;
}

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&set, signal);
  return set;
}

/// In the child. Of its own process group, so that a terminal's Ctrl-C reaches it once, through its
/// parent. Nothing but what a forked process may call.
[[noreturn]] void become_rank(const char* program, char* const* words, char* const* environment,
                              int listener, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(kInterrupted);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
  if (listener >= 0) ::fcntl(listener, F_SETFD, 0);
  // What asks to stop waits until the program has its handlers.
  sigset_t ended;
  sigemptyset(&ended);
  sigaddset(&ended, SIGCHLD);
  ::sigprocmask(SIG_UNBLOCK, &ended, nullptr);
  ::execve(program, words, environment);
  ::_exit(kNoProgram);
}

/// The processes of a run.
class Crew {
 public:
  Crew(const std::string& program, const std::vector<std::string>& words, int64_t size) {
    const pipeline::Listener listener = pipeline::listen_on_loopback();
    const Pointers arguments(words);
    const pid_t parent = ::getpid();
    for (int rank = 0; rank < size; ++rank) {
      const Pointers environment(environment_of(rank, size, listener));
      const pid_t pid = ::fork();
      if (pid == 0)
        become_rank(program.c_str(), arguments.get(), environment.get(),
                    rank == 0 ? listener.socket : -1, parent);
      if (pid < 0) {
        const std::string text = std::strerror(errno);
        end(SIGKILL);
        fail(ErrorKind::resource, "rank " + std::to_string(rank), "does not start: " + text,
             "choose fewer processes");
      }
      running_.push_back({rank, pid});
    }
    ::close(listener.socket);
  }

  bool all_ended() const { return running_.empty(); }
  const std::vector<Ended>& failed() const { return failed_; }

  void send(int signal) const {
    for (const Ended& each : running_) ::kill(each.pid, signal);
  }

  /// Those that have ended by now.
  void collect() {
    int status = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      const auto found = std::ranges::find(running_, pid, &Ended::pid);
      if (found == running_.end()) continue;
      Ended ended = *found;
      running_.erase(found);
      if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
      if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
      if (ended.failed()) failed_.push_back(ended);
    }
  }

 private:
  void end(int signal) {
    send(signal);
    for (const Ended& each : running_) ::waitpid(each.pid, nullptr, 0);
  }

  std::vector<Ended> running_, failed_;
};

std::string name_of(const Ended& ended) {
  return "rank " + std::to_string(ended.rank) + " (pid " + std::to_string(ended.pid) + ")";
}

/// How the run ended, for people.
std::string account_of(const Ended& ended, const std::string& program) {
  if (ended.signal != 0)
    return name_of(ended) + " was killed by signal " + std::to_string(ended.signal) +
           (ended.signal == SIGKILL ? ", as a machine without memory does" : "") + "\n";
  if (ended.exit_code == kNoProgram) return name_of(ended) + ": " + program + " does not start\n";
  return name_of(ended) + " ended with exit code " + std::to_string(ended.exit_code) + "\n";
}

/// Waits until all have ended, passes signals on, and kills those that another's failure has not
/// ended in time; the failed ones without these.
std::vector<Ended> wait_for(Crew& crew, const sigset_t& watched) {
  std::optional<Clock::time_point> deadline;
  std::vector<Ended> before_kill;
  while (!crew.all_ended()) {
    const timespec moment{0, 200'000'000};
    const int signal = ::sigtimedwait(&watched, nullptr, &moment);
    if (signal > 0 && signal != SIGCHLD) crew.send(signal);
    crew.collect();
    if (crew.failed().empty()) continue;
    if (!deadline) deadline = Clock::now() + kGrace;
    const bool interrupted = crew.failed().front().exit_code == kInterrupted;
    if (interrupted || !before_kill.empty() || Clock::now() < *deadline) continue;
    before_kill = crew.failed();
    crew.send(SIGKILL);
  }
  return before_kill.empty() ? crew.failed() : before_kill;
}

}  // namespace

const Ended& culprit(const std::vector<Ended>& failed) {
  const auto weight = [](const Ended& ended) {
    if (ended.signal != 0) return 0;
    return ended.exit_code == exit_code(ErrorKind::external) ? 2 : 1;
  };
  return *std::ranges::min_element(failed, {}, weight);
}

int launch(const pipeline::Request& request, std::vector<std::string> words) {
  const std::string program = pipeline::heavy_program().string();
  const std::filesystem::path folder = pipeline::run_folder(request);
  if (request.line.flags.out.empty()) words.push_back("--out=" + folder.string());
  const sigset_t watched = watched_signals();
  ::sigprocmask(SIG_BLOCK, &watched, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // a reader of standard error that is gone ends nothing
  std::vector<std::string> all_words{program};
  all_words.insert(all_words.end(), words.begin(), words.end());
  Crew crew(program, all_words, pipeline::world_size(request));
  const std::vector<Ended> failed = wait_for(crew, watched);
  if (failed.empty()) return 0;
  const Ended& first = culprit(failed);
  if (first.signal == 0 && first.exit_code == kInterrupted) return kInterrupted;
  say(account_of(first, program));
  if (first.signal == 0) return first.exit_code;
  if (!request.line.flags.resume) words.emplace_back("--resume");
  words.insert(words.begin(), "cupel");
  if (std::filesystem::exists(folder / "config.yaml"))
    say("go on with:\n  " + pipeline::shell_line(words) + "\n");
  return exit_code(ErrorKind::external);
}

}  // namespace cupel::cli
