#include "cli/signals.h"

#include <signal.h>
#include <unistd.h>

#include <string_view>

namespace cupel::cli {
namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // a handler may touch nothing else

extern "C" void handle(int) {
  if (stop.exchange(true)) ::_exit(130);
  constexpr std::string_view kText = "\nstopping after a save; once more ends it at once\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText.data(), kText.size());
}

}  // namespace

const std::atomic<bool>& watch_signals() {
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  return stop;
}

}  // namespace cupel::cli
