#include "base/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include "base/error.h"

namespace cupel {
namespace {

struct Owner {
  int64_t pid = 0;
  std::string started, boot;  // clock ticks after boot; the kernel's id of this boot
  bool operator==(const Owner&) const = default;
};

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  file >> id;
  return id;
}

/// Field 22 of /proc/<pid>/stat, empty if there is no such process; it tells a process from a later
/// one with the same number.
std::string start_time(int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;
  return field;
}

Owner this_process() { return {::getpid(), start_time(::getpid()), boot_id()}; }

Owner read_owner(int fd) {
  char buffer[256];
  const ssize_t got = ::pread(fd, buffer, sizeof buffer, 0);
  Owner owner;
  std::istringstream(std::string(buffer, got > 0 ? static_cast<std::size_t>(got) : 0)) >>
      owner.pid >> owner.started >> owner.boot;
  return owner;
}

bool lives(const Owner& owner) {
  return owner.pid > 0 && owner.boot == boot_id() && start_time(owner.pid) == owner.started;
}

/// Whether `path` still names the open file: its last owner may have removed it meanwhile.
bool is_current(int fd, const std::filesystem::path& path) {
  struct stat open_file {
  }, named{};
  return ::fstat(fd, &open_file) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

[[noreturn]] void fail_held(const std::filesystem::path& path, const Owner& owner) {
  fail(ErrorKind::config, path.parent_path().string(),
       "in use by process " + std::to_string(owner.pid),
       "wait for it to end, or choose another folder with --out");
}

}  // namespace

LockFile::LockFile(std::filesystem::path path) : path_(std::move(path)) {
  const auto fail_system = [&](int code) {
    if (fd_ >= 0) ::close(fd_);
    const bool ours = code == EACCES || code == EPERM || code == ENOENT;
    fail(ours ? ErrorKind::config : ErrorKind::resource, path_.string(),
         std::string("cannot lock: ") + std::strerror(code), "choose another folder with --out");
  };
  while (true) {
    do {
      fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    } while (fd_ < 0 && errno == EINTR);
    if (fd_ < 0) fail_system(errno);
    const bool locked = ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
    const bool supported = locked || errno == EWOULDBLOCK;
    const Owner owner = read_owner(fd_);
    if (locked && !is_current(fd_, path_)) {
      ::close(fd_);
      continue;
    }
    if ((supported && !locked) || (!supported && lives(owner))) {
      ::close(fd_);
      fail_held(path_, owner);
    }
    break;
  }
  const Owner self = this_process();
  const std::string text = std::to_string(self.pid) + " " + self.started + " " + self.boot + "\n";
  if (::ftruncate(fd_, 0) != 0) fail_system(errno);
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t put =
        ::pwrite(fd_, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (put < 0 && errno != EINTR) fail_system(errno);
    done += put > 0 ? static_cast<std::size_t>(put) : 0;
  }
}

LockFile::~LockFile() {
  if (is_in_place()) ::unlink(path_.c_str());
  ::close(fd_);
}

bool LockFile::is_in_place() const { return is_current(fd_, path_); }

}  // namespace cupel
