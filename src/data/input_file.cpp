#include "data/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace cupel {

InputFile::InputFile(const std::filesystem::path& path)
    : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (fd_ < 0) {
    if (errno == ENOENT) {
      fail(ErrorKind::config, path.string(), "no such file",
           "check the path; relative paths start at the recipe's folder");
    }
    fail(ErrorKind::config, path.string(), std::string("cannot be opened: ") + std::strerror(errno),
         "check its permissions");
  }
  struct stat info {};
  const bool known = ::fstat(fd_, &info) == 0;
  if (!known || !S_ISREG(info.st_mode) || info.st_size == 0) {
    ::close(fd_);
    fd_ = -1;
    if (known && S_ISREG(info.st_mode)) {
      fail(ErrorKind::data, path.string(), "file is empty", "give a file with at least one row");
    }
    fail(ErrorKind::config, path.string(),
         known && S_ISDIR(info.st_mode) ? "is a folder" : "is not a regular file", "name one file");
  }
  size_ = info.st_size;
}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace cupel
