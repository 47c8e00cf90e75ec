// The k-th system call that changes the disk fails: how a test walks through every one of them.
#pragma once

namespace cupel {

/// While alive, counts this process's calls of open (for writing), write, pwrite, fsync, ftruncate,
/// rename, renameat2 and mkdir, and lets one of them fail. The test program defines these functions
/// itself, so the product's code needs no seam for it. One at a time, on one thread.
class FailingCalls {
 public:
  enum class How {
    once,     // call number `k` alone
    onwards,  // call number `k` and every later one: a disk that is full or gone
    shorter,  // nothing fails, but every write takes one byte less than asked, at least one
    again,    // nothing fails, but every other call is interrupted first (EINTR)
  };

  /// `k` counts from 1; `error` is the errno to give.
  FailingCalls(int k, int error, How how = How::once);
  ~FailingCalls();
  FailingCalls(const FailingCalls&) = delete;
  FailingCalls& operator=(const FailingCalls&) = delete;

  /// Calls seen so far.
  int count() const;
};

}  // namespace cupel
