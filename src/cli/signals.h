// Ctrl-C, SIGTERM and SIGHUP: the first asks the run to save and stop, a second Ctrl-C or SIGTERM
// ends the process. A broken pipe and a file over the limit on its size are errors of write()
// instead.
#pragma once

#include <atomic>

namespace cupel::cli {

/// The exit code of what was asked to stop: 128 and SIGINT, as shells have it.
inline constexpr int kInterrupted = 130;

/// Installs the handlers; the flag that the first signal sets. `speaks`: they say what they do.
const std::atomic<bool>& watch_signals(bool speaks = true);

}  // namespace cupel::cli
