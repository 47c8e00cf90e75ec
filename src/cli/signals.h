// Ctrl-C and SIGTERM: the first asks the run to save and stop, the second ends the process.
#pragma once

#include <atomic>

namespace cupel::cli {

/// Installs the handlers; the flag that the first signal sets.
const std::atomic<bool>& watch_signals();

}  // namespace cupel::cli
