#include "cli/signals.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

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

TEST(SignalsDeathTest, ASignalThatCameBlockedBeforeTheHandlersIsNotLost) {
  EXPECT_EXIT(
      {
        sigset_t early;
        sigemptyset(&early);
        sigaddset(&early, SIGTERM);
        ::sigprocmask(SIG_BLOCK, &early, nullptr);
        ::raise(SIGTERM);
        ::_exit(watch_signals(/*speaks=*/false) ? 7 : 1);
      },
      testing::ExitedWithCode(7), "^$");
}

TEST(SignalsDeathTest, AHangUpAsksToStopUnlessItIsIgnored) {
  EXPECT_EXIT(
      {
        const std::atomic<bool>& stop = watch_signals();
        ::raise(SIGHUP);
        ::raise(SIGHUP);  // as a closing terminal may
        ::_exit(stop ? 7 : 1);
      },
      testing::ExitedWithCode(7), "stopping after a save");
  EXPECT_EXIT(
      {
        ::signal(SIGHUP, SIG_IGN);
        const std::atomic<bool>& stop = watch_signals();
        ::raise(SIGHUP);
        ::_exit(stop ? 1 : 7);
      },
      testing::ExitedWithCode(7), "");
}

TEST(SignalsDeathTest, ABrokenPipeAndAFileOverTheLimitAreErrorsOfWrite) {
  EXPECT_EXIT(
      {
        watch_signals();
        int ends[2];
        if (::pipe(ends) != 0) ::_exit(1);
        ::close(ends[0]);
        const bool broken = ::write(ends[1], "x", 1) < 0 && errno == EPIPE;
        ::raise(SIGXFSZ);
        ::_exit(broken ? 7 : 2);
      },
      testing::ExitedWithCode(7), "");
}

TEST(SignalsDeathTest, TheHandlerLeavesErrnoAlone) {
  EXPECT_EXIT(
      {
        watch_signals();
        ::close(STDERR_FILENO);
        errno = ENOSPC;
        ::raise(SIGTERM);
        ::_exit(errno == ENOSPC ? 7 : 1);
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace cupel::cli
