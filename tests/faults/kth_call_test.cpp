#include <gtest/gtest.h>

#include <cerrno>

#include "base/atomic_file.h"
#include "base/error.h"
#include "support/failing_calls.h"
#include "support/files.h"
#include "support/sample_run.h"

namespace cupel {
namespace {

using How = FailingCalls::How;

/// The bytes of a run that nothing disturbed.
const std::string& undisturbed() {
  static const std::string bytes = [] {
    const TemporaryFolder folder(TemporaryFolder::Place::memory);
    sample_run(folder / "run", false);
    return sample_run_bytes(folder / "run");
  }();
  return bytes;
}

struct Outcome {
  bool ended = false;
  int calls = 0;
  std::string text;
};

/// Runs with a fault; an error must be the disk's, name a path below the folder and end in a
/// remedy.
Outcome run_with_fault(const TemporaryFolder& folder, int k, int code, How how) {
  Outcome outcome;
  const FailingCalls faults(k, code, how);
  try {
    outcome.ended = sample_run(folder / "run", false);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::resource) << error.what();
    EXPECT_TRUE(error.where().starts_with(folder.path().string())) << error.what();
    EXPECT_FALSE(error.hint().empty()) << error.what();
    outcome.text = error.what();
  }
  outcome.calls = faults.count();
  return outcome;
}

/// For every k: the fault, then a resume, which must end as if nothing had happened.
void check_every_call(int code, How how) {
  int k = 1;
  for (bool ended = false; !ended; ++k) {
    const TemporaryFolder folder(TemporaryFolder::Place::memory);
    const Outcome outcome = run_with_fault(folder, k, code, how);
    ended = outcome.calls < k;
    ASSERT_EQ(outcome.ended, ended) << "call " << k << " failed and nobody noticed";
    if (!ended) sample_run(folder / "run", true);
    ASSERT_EQ(sample_run_bytes(folder / "run"), undisturbed()) << "after call " << k;
    for (const std::string& name : folder.names()) {
      ASSERT_EQ(name.find(".staging-"), std::string::npos) << name;
      ASSERT_EQ(name.find(".lock"), std::string::npos) << name;
    }
  }
  testing::Test::RecordProperty("calls", k - 1);
  EXPECT_GT(k, 30) << "the run must have that many calls that can fail";
}

TEST(KthCall, AFullDiskAtAnyCallLosesNothing) { check_every_call(ENOSPC, How::onwards); }

TEST(KthCall, OneInputOutputErrorAtAnyCallLosesNothing) { check_every_call(EIO, How::once); }

TEST(KthCall, ADiskThatTurnsReadOnlyAtAnyCallLosesNothing) {
  check_every_call(EROFS, How::onwards);
}

TEST(KthCall, ShortWritesAndInterruptionsAreContinued) {
  for (const How how : {How::shorter, How::again}) {
    const TemporaryFolder folder(TemporaryFolder::Place::memory);
    EXPECT_EQ(run_with_fault(folder, 0, 0, how).text, "");
    EXPECT_EQ(sample_run_bytes(folder / "run"), undisturbed());
  }
}

TEST(KthCall, AFileIsTheOldOrTheNewOneWhicheverCallFails) {
  for (int k = 1;; ++k) {
    const TemporaryFolder folder(TemporaryFolder::Place::memory);
    folder.write("a", "old");
    bool failed = false;
    {
      const FailingCalls faults(k, EIO);
      try {
        write_file_atomically(folder / "a", "new");
      } catch (const Error&) {
        failed = true;
      }
    }
    const std::string now = read_file(folder / "a");
    EXPECT_TRUE(now == "new" || (failed && now == "old")) << now;
    EXPECT_EQ(folder.names(), std::vector<std::string>{"a"}) << "call " << k;
    if (!failed) break;
  }
}

}  // namespace
}  // namespace cupel
