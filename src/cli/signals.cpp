#include "cli/signals.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <string_view>

namespace cupel::cli {
namespace {

std::atomic<bool> stop{false}, silent{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // a handler may touch nothing else

void say_unless_silent(std::string_view text) {
  if (silent) return;
  const int before = errno;  // the code that was interrupted may be about to read it
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  errno = before;
}

extern "C" void handle(int) {
  if (stop.exchange(true)) ::_exit(kInterrupted);
  say_unless_silent("\nstopping after a save; once more ends it at once\n");
}

// A terminal that closes may send it twice within milliseconds, the shell and the kernel once each.
extern "C" void handle_hangup(int) {
  if (!stop.exchange(true)) say_unless_silent("\nthe terminal is gone: stopping after a save\n");
}

}  // namespace

const std::atomic<bool>& watch_signals(bool speaks) {
  silent = !speaks;
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  // nohup ignores SIGHUP so that the run outlives its terminal.
  struct sigaction hangup {};
  if (::sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
    action.sa_handler = handle_hangup;
    ::sigaction(SIGHUP, &action, nullptr);
  }
  // A parent that starts several processes blocks them until here, so that none is lost.
  sigset_t all;
  sigemptyset(&all);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&all, signal);
  ::sigprocmask(SIG_UNBLOCK, &all, nullptr);
  // Then write() fails instead: a broken pipe on standard error goes unnoticed, a file over the
  // limit on its size ends the run with a message and a way out.
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  return stop;
}

}  // namespace cupel::cli
