#include "cli/signals.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <string_view>

namespace cupel::cli {
namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // a handler may touch nothing else

extern "C" void handle(int) {
  if (stop.exchange(true)) ::_exit(130);
  const int before = errno;  // the code that was interrupted may be about to read it
  constexpr std::string_view kText = "\nstopping after a save; once more ends it at once\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText.data(), kText.size());
  errno = before;
}

}  // namespace

const std::atomic<bool>& watch_signals() {
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  // nohup ignores SIGHUP so that the run outlives its terminal.
  struct sigaction hangup {};
  if (::sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
    ::sigaction(SIGHUP, &action, nullptr);
  // Then write() fails instead: a broken pipe on standard error goes unnoticed, a file over the
  // limit on its size ends the run with a message and a way out.
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  return stop;
}

}  // namespace cupel::cli
