// A run of curate that is killed goes on and leaves the bytes of an undisturbed one.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "base/atomic_file.h"
#include "base/config_doc.h"
#include "base/error.h"
#include "base/rng.h"
#include "curate/curate.h"
#include "support/failing_calls.h"
#include "support/files.h"

namespace cupel::curate {
namespace {

namespace fs = std::filesystem;

void curate(const fs::path& input, const fs::path& folder) {
  Config config;
  config.input = {{input.string()}};
  config.format = FormatConfig{20, 1000};
  config.save_seconds = 0;
  RunOptions options;
  options.folder = folder;
  options.threads = 1;
  options.resume = true;
  cupel::Run run(options);
  run.finish("curate", to_json(cupel::curate::run(config, run)));
}

TEST(CurateKilled, AtAnyMomentEndsWithTheSameBytes) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  std::string text;
  for (int i = 0; i < 4000; ++i) {
    if (i % 50 == 0) text += "{broken " + std::to_string(i) + "\n";
    text += "{\"text\": \"" + std::string(i % 7 == 0 ? "" : "the value of this row is ") +
            std::to_string(i / 2) + "\"}\n";
  }
  const fs::path input = folder.write("rows.jsonl", text);
  curate(input, folder / "whole");
  Rng random(7, "moments");
  int killed = 0;
  for (int round = 0; round < 12; ++round) {
    const fs::path cut = folder / ("cut-" + std::to_string(round));
    const pid_t pid = fork();
    if (pid == 0) {
      curate(input, cut);
      _exit(0);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(40'000)));
    kill(pid, SIGKILL);
    int status = 0;
    waitpid(pid, &status, 0);
    killed += WIFSIGNALED(status);
    curate(input, cut);
    for (const char* name : {"kept.jsonl", "decisions.jsonl", "rejects.jsonl"})
      EXPECT_EQ(read_file(cut / name), read_file(folder / "whole" / name)) << name;
    for (const auto& entry : fs::directory_iterator(cut))
      EXPECT_FALSE(entry.path().filename().string().starts_with(".staging-")) << entry.path();
    fs::remove_all(cut);
  }
  EXPECT_GT(killed, 0);
}

TEST(CurateKilled, AFullDiskAtAnyCallLosesNothing) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  std::string text = "text\n";
  for (int i = 0; i < 60; ++i) text += "the value of this row is " + std::to_string(i * i) + "\n";
  const fs::path input = folder.write("rows.csv", text + "a row, of two\n");
  curate(input, folder / "whole");
  bool ended = false;
  int k = 1;
  for (; !ended; ++k) {
    const fs::path cut = folder / ("cut-" + std::to_string(k));
    {
      const FailingCalls full(k, ENOSPC, FailingCalls::How::onwards);
      try {
        curate(input, cut);
        ended = true;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::resource) << error.what();
      }
      ASSERT_EQ(ended, full.count() < k) << "call " << k << " failed and nobody noticed";
    }
    curate(input, cut);
    for (const char* name : {"kept.jsonl", "decisions.jsonl", "rejects.jsonl"})
      ASSERT_EQ(read_file(cut / name), read_file(folder / "whole" / name)) << name << " " << k;
    fs::remove_all(cut);
  }
  EXPECT_GT(k, 50) << "a run must have that many calls that can fail";
}

}  // namespace
}  // namespace cupel::curate
