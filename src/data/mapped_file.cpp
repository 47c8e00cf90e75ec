#include "data/mapped_file.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/error.h"
#include "data/input_file.h"

namespace cupel {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const InputFile file(path);
  const auto size = static_cast<std::size_t>(file.size());
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd(), 0);
  if (memory == MAP_FAILED) {
    fail(ErrorKind::resource, path.string(),
         std::string("cannot be mapped into memory: ") + std::strerror(errno),
         "copy it to a local disk");
  }
  data_ = static_cast<const std::byte*>(memory);
  size_ = size;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace cupel
