// `--nproc`: starts the processes of a run on this machine, watches over them and names the one
// that died.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "pipeline/recipe.h"

namespace cupel::cli {

/// How a process of the run ended: by an exit code or by a signal.
struct Ended {
  int rank = 0;
  pid_t pid = 0;
  int exit_code = 0, signal = 0;
  bool failed() const { return signal != 0 || exit_code != 0; }
};

/// Of the failed ones, in the order in which they ended, the one that the others followed: killed
/// by a signal before one that says what is wrong before one that found another gone.
const Ended& culprit(const std::vector<Ended>& failed);

/// Starts `pipeline::world_size` processes of the program with LibTorch, with `words` (those after
/// a program's name), and waits until all have ended. SIGINT, SIGTERM and SIGHUP are passed on;
/// they die with this process. When one fails the others have a few seconds to end, then they are
/// killed. Returns the run's exit code: 130 after an interrupt, 1 where one was killed by a signal,
/// else the culprit's.
int launch(const pipeline::Request& request, std::vector<std::string> words);

}  // namespace cupel::cli
