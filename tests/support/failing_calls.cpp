#include "support/failing_calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>

namespace {

using How = cupel::FailingCalls::How;

struct Plan {
  std::atomic<bool> active{false};
  std::atomic<int> calls{0};
  int k = 0, error = 0;
  How how = How::once;
} plan;

/// Counts the call; whether it fails, with errno set.
bool fails() {
  if (!plan.active) return false;
  const int call = ++plan.calls;
  if (plan.how == How::again && call % 2 == 1) {
    errno = EINTR;
    return true;
  }
  const bool due = plan.how == How::once      ? call == plan.k
                   : plan.how == How::onwards ? call >= plan.k
                                              : false;
  if (due) errno = plan.error;
  return due;
}

template <class... Arguments>
int call(long number, Arguments... arguments) {
  return static_cast<int>(::syscall(number, arguments...));
}

/// renames and mkdir are never interrupted on a real system.
bool fails_for_good() { return plan.how != How::again && fails(); }

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if ((flags & O_ACCMODE) != O_RDONLY && fails()) return -1;
  return call(SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t write(int fd, const void* bytes, size_t count) {
  if (fd > 2 && fails()) return -1;
  const bool cut = fd > 2 && plan.active && plan.how == How::shorter && count > 1;
  return ::syscall(SYS_write, fd, bytes, cut ? count - 1 : count);
}

ssize_t pwrite(int fd, const void* bytes, size_t count, off_t at) {
  if (fails()) return -1;
  const bool cut = plan.active && plan.how == How::shorter && count > 1;
  return ::syscall(SYS_pwrite64, fd, bytes, cut ? count - 1 : count, at);
}

int fsync(int fd) { return fails() ? -1 : call(SYS_fsync, fd); }

int ftruncate(int fd, off_t size) noexcept {
  return fails_for_good() ? -1 : call(SYS_ftruncate, fd, size);
}

int rename(const char* from, const char* to) noexcept {
  return fails_for_good() ? -1 : call(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned flags) noexcept {
  return fails_for_good() ? -1 : call(SYS_renameat2, from_folder, from, to_folder, to, flags);
}

int mkdir(const char* path, mode_t mode) noexcept {
  return fails_for_good() ? -1 : call(SYS_mkdirat, AT_FDCWD, path, mode);
}

}  // extern "C"

namespace cupel {

FailingCalls::FailingCalls(int k, int error, How how) {
  plan.k = k;
  plan.error = error;
  plan.how = how;
  plan.calls = 0;
  plan.active = true;
}

FailingCalls::~FailingCalls() { plan.active = false; }

int FailingCalls::count() const { return plan.calls; }

}  // namespace cupel
