#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <thread>

#include "base/atomic_file.h"
#include "base/rng.h"
#include "base/run.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/sample_run.h"

namespace cupel {
namespace {

namespace fs = std::filesystem;

/// A process that does `work` and ends with what it returns.
pid_t start(const std::function<int()>& work) {
  const pid_t pid = fork();
  if (pid == 0) {
    int code = 99;
    try {
      code = work();
    } catch (...) {
    }
    _exit(code);
  }
  return pid;
}

/// The exit code, or minus the signal that ended it.
int wait_for(pid_t pid) {
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void wait_until(const std::function<bool()>& done) {
  for (int i = 0; i < 5000 && !done(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_TRUE(done());
}

RunOptions options_in(const fs::path& folder) {
  RunOptions options;
  options.folder = folder;
  options.threads = 1;
  options.resume = true;
  return options;
}

TEST(Lock, ASecondProcessOnTheFolderIsToldWhoHoldsIt) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const fs::path path = folder / "run";
  const pid_t holder = start([&] {
    const cupel::Run run(options_in(path));
    pause();
    return 0;
  });
  wait_until([&] { return fs::exists(path / "config.yaml"); });
  try {
    const cupel::Run second(options_in(path));
    ADD_FAILURE() << "two processes hold one folder";
  } catch (const Error& error) {
    EXPECT_EQ(exit_code(error.kind()), 2);
    EXPECT_EQ(error.what(), path.string() + ": in use by process " + std::to_string(holder) +
                                "; wait for it to end, or choose another folder with --out");
  }
  kill(holder, SIGKILL);
  EXPECT_EQ(wait_for(holder), -SIGKILL);
  EXPECT_TRUE(fs::exists(path / ".lock")) << "the killed process left its lock";
  EXPECT_NO_THROW(cupel::Run{options_in(path)}) << "which is taken over";
}

TEST(Removal, ThatIsKilledLeavesTheFolderWholeOrGone) {
  constexpr int kFiles = 200;
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const fs::path path = folder / "checkpoint-3";
  int gone = 0;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < kFiles; ++i) folder.write("checkpoint-3/" + std::to_string(i), "x");
    const pid_t remover = start([&] {
      remove_path(path);
      return 0;
    });
    std::this_thread::sleep_for(std::chrono::microseconds(100 * round));
    kill(remover, SIGKILL);
    wait_for(remover);
    if (fs::exists(path)) {
      const auto left = std::distance(fs::directory_iterator(path), fs::directory_iterator());
      ASSERT_EQ(left, kFiles) << "round " << round;
    } else {
      ++gone;
    }
    remove_path(path);
    remove_staging(folder.path());
    EXPECT_TRUE(fs::is_empty(folder.path()));
  }
  ::testing::Test::RecordProperty("gone", gone);
}

TEST(Lock, OfManyProcessesAtOnceExactlyOneGetsIt) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const fs::path path = folder / "run";
  for (int round = 0; round < 5; ++round) {
    std::vector<pid_t> all;
    for (int i = 0; i < 8; ++i) {
      all.push_back(start([&] {
        const cupel::Run run(options_in(path));
        pause();
        return 0;
      }));
    }
    for (int refused = 0; refused < 7; ++refused) {
      int status = 0;
      const pid_t ended = waitpid(-1, &status, 0);
      EXPECT_EQ(WEXITSTATUS(status), 99);
      std::erase(all, ended);
    }
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(waitpid(all[0], nullptr, WNOHANG), 0) << "it must still hold the folder";
    kill(all[0], SIGKILL);
    wait_for(all[0]);
  }
}

TEST(Kill, ARunKilledAtRandomTimesEndsWithTheSameBytes) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  constexpr int kSteps = 10, kKills = 60;
  const auto begin = std::chrono::steady_clock::now();
  // As a child: under a sanitizer its start takes longer than the run itself.
  ASSERT_EQ(wait_for(start([&] { return sample_run(folder / "whole", false, kSteps) ? 0 : 1; })),
            0);
  const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - begin;
  const std::string expected = sample_run_bytes(folder / "whole");
  Rng rng(1, "kill");
  int kills = 0;
  for (int run = 0; kills < kKills; ++run) {
    const fs::path path = folder / ("run" + std::to_string(run));
    int attempts = 0;
    for (bool ended = false; !ended; ++attempts) {
      const pid_t pid = start([&] { return sample_run(path, true, kSteps) ? 0 : 1; });
      // On a machine slower now than when `whole` was taken, an attempt too long to be cut ends it.
      if (attempts < 30) {
        std::this_thread::sleep_for(whole * rng.uniform() * 1.2);
        kill(pid, SIGKILL);
      }
      const int code = wait_for(pid);
      ASSERT_TRUE(code == 0 || code == -SIGKILL) << code;
      ended = code == 0;
      kills += !ended;
    }
    ASSERT_EQ(sample_run_bytes(path), expected) << "after " << kills << " kills";
  }
}

volatile bool stop_asked = false;

TEST(Stop, ASignalIsFollowedByACheckpointAndTheRunGoesOnFromIt) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  constexpr int kSteps = 1000;
  const pid_t pid = start([&] {
    signal(SIGTERM, [](int) { stop_asked = true; });
    return sample_run(folder / "run", false, kSteps, &stop_asked) ? 0 : 130;
  });
  wait_until([&] { return fs::exists(folder / "run/metrics.jsonl"); });
  kill(pid, SIGTERM);
  EXPECT_EQ(wait_for(pid), 130);
  EXPECT_FALSE(fs::exists(folder / "run/.lock"));
  std::size_t checkpoints = 0;
  for (const auto& entry : fs::directory_iterator(folder / "run")) {
    checkpoints += entry.path().filename().string().starts_with("checkpoint-");
  }
  EXPECT_EQ(checkpoints, 1u);
}

}  // namespace
}  // namespace cupel
