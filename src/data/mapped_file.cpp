#include "data/mapped_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/error.h"
#include "data/input_file.h"

namespace cupel {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const InputFile file(path);
  map(file.fd(), static_cast<std::size_t>(file.size()), path.string());
}

MappedFile::MappedFile(ScratchFile& file) {
  const auto size = static_cast<std::size_t>(file.size());
  if (size > 0) map(file.descriptor(), size, "[temporary file]");
}

void MappedFile::map(int fd, std::size_t size, const std::string& name) {
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (memory == MAP_FAILED) {
    fail(ErrorKind::resource, name,
         std::string("cannot be mapped into memory: ") + std::strerror(errno),
         "copy it to a local disk");
  }
  data_ = static_cast<const std::byte*>(memory);
  size_ = size;
}

void MappedFile::release(std::span<const std::byte> part) const {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(part.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(part.data() + part.size()) / page * page;
  // Advice: where it is not taken, the memory is given back later.
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
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
