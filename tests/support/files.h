// Folders and files that live as long as a test.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace cupel {

/// A folder of its own, removed with everything in it.
class TemporaryFolder {
 public:
  enum class Place { disk, memory };  // memory: no wait for fsync, a few megabytes at most
  explicit TemporaryFolder(Place place = Place::disk);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  /// Writes a file below the folder, folders on the way included, and returns its path.
  std::filesystem::path write(const std::string& name, std::string_view bytes) const;
  /// Names of all files and folders below, sorted.
  std::vector<std::string> names() const;

 private:
  std::filesystem::path path_;
};

}  // namespace cupel
