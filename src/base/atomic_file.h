// The only way any file is written: staged beside its place, synced, renamed, the folder synced.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace cupel {

/// Replaces `path` by `bytes`, or leaves it as it was. Like everything here that writes, throws
/// Error{resource} (disk full, read-only, input/output error, …) or Error{config} (a path that is
/// missing or not ours to write), naming path, cause and remedy.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Calls fill(staging folder), syncs every file in it and puts the folder in the place of `path`; a
/// folder that stands there is exchanged in one step, then removed. On failure the staging folder
/// is removed and `path` is as it was.
void write_folder_atomically(const std::filesystem::path& path,
                             const std::function<void(const std::filesystem::path&)>& fill);

/// A file under construction: append, then commit(). Destroyed uncommitted, it vanishes.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void append(std::string_view bytes);
  void commit();  // sync and rename: now it is there

 private:
  void flush();

  std::filesystem::path path_, staging_;
  int fd_ = -1;
  std::string buffer_;
};

/// Removes what a killed process left half-written in `folder` and below.
void remove_staging(const std::filesystem::path& folder);

/// Makes the folder and those above it, and syncs the one that holds it.
void make_folders(const std::filesystem::path& path);

/// Removes a file or a whole folder; nothing there is no error.
void remove_path(const std::filesystem::path& path);

/// An append-only log: flushed on request, cut back on resume. A write that fails leaves nothing of
/// what it was given behind.
class AppendFile {
 public:
  enum class Unit { line, byte };  // what a cut or a crash must not leave in pieces

  /// Opens or makes the file and cuts it to `keep_bytes` if that is less than its size; with
  /// Unit::line, a last line without its end goes too.
  explicit AppendFile(std::filesystem::path path, int64_t keep_bytes = INT64_MAX,
                      Unit unit = Unit::line);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  void append(std::string_view bytes);
  void flush();  // write: others can read it
  void sync();   // flush + fsync: it survives a power cut
  void cut(int64_t keep_bytes);
  int64_t position() const { return written_ + static_cast<int64_t>(buffer_.size()); }

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  int64_t written_ = 0;
  Unit unit_;
  std::string buffer_;
};

/// The whole file; Error{config} if it is missing or unreadable, Error{data} if larger than `limit`
/// bytes.
std::string read_file(const std::filesystem::path& path, int64_t limit = INT64_C(1) << 30);

/// Free bytes where `path` would be written; the folders of it need not be there.
int64_t free_disk_bytes(const std::filesystem::path& path);
/// Error{resource} if fewer than `bytes` are free there: better before a save than in its middle.
void require_free_disk(const std::filesystem::path& path, int64_t bytes);

/// Lower-case hex of the SHA-256 of a file, or of text. Throws Error{config} for a file that cannot
/// be read.
std::string sha256_file(const std::filesystem::path& path);
std::string sha256(std::string_view bytes);

}  // namespace cupel
