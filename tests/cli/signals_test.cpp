#include "cli/signals.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace cupel::cli {
namespace {

TEST(SignalsDeathTest, TheFirstAsksToStopAndTheSecondEndsTheProcess) {
  EXPECT_EXIT(
      {
        const std::atomic<bool>& stop = watch_signals();
        if (stop) ::_exit(1);
        ::raise(SIGINT);
        if (!stop) ::_exit(2);
        ::raise(SIGTERM);
        ::_exit(3);
      },
      testing::ExitedWithCode(130), "stopping after a save; once more ends it at once");
}

}  // namespace
}  // namespace cupel::cli
