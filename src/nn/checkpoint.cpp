#include "nn/checkpoint.h"

#include <algorithm>
#include <charconv>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json.h"

namespace cupel::nn {
namespace {

constexpr int64_t kFormat = 1;
constexpr std::string_view kPrefix = "checkpoint-";

std::optional<int64_t> step_of(const std::string& name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  int64_t step = 0;
  const char* end = name.data() + name.size();
  const auto result = std::from_chars(name.data() + kPrefix.size(), end, step);
  if (result.ec != std::errc() || result.ptr != end || step < 0) return std::nullopt;
  return step;
}

std::string unknown(int64_t format) {
  return "format " + std::to_string(format) + " is not known to this version";
}

/// Another version's work is not damaged: passed over, it would be removed as such.
void require_known_format(const std::filesystem::path& folder) {
  const std::string where = (folder / "manifest.json").string();
  int64_t format = kFormat;
  try {
    format = json::parse(read_file(where), where).at("format", where).as_int(where);
  } catch (const Error&) {
    return;  // which checkpoint_problem() tells
  }
  if (format != kFormat)
    fail(ErrorKind::config, where, unknown(format),
         "resume with the version that wrote it, or begin anew with --out");
}

}  // namespace

std::vector<CheckpointFolder> list_checkpoints(const std::filesystem::path& run_folder) {
  std::vector<CheckpointFolder> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(run_folder, ignored)) {
    const auto step = step_of(entry.path().filename().string());
    if (step && entry.is_directory()) found.push_back({*step, entry.path()});
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.step < b.step; });
  return found;
}

void write_checkpoint_manifest(const std::filesystem::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path().filename().string());
  }
  std::sort(files.begin(), files.end());
  json::Object hashes;
  for (const std::string& file : files) hashes.emplace_back(file, sha256_file(folder / file));
  const json::Value manifest = json::Object{{"format", kFormat}, {"files", hashes}};
  write_file_atomically(folder / "manifest.json", json::dump(manifest, 2) + "\n");
}

std::string checkpoint_problem(const std::filesystem::path& folder) {
  const auto missing = [&](const std::string& file) {
    return !std::filesystem::exists(folder / file);
  };
  try {
    const std::string where = (folder / "manifest.json").string();
    if (missing("manifest.json")) return "manifest.json is missing";
    const json::Value manifest = json::parse(read_file(where), where);
    const int64_t format = manifest.at("format", where).as_int(where + ": format");
    if (format != kFormat) return unknown(format);
    for (const auto& [file, hash] : manifest.at("files", where).as_object(where)) {
      if (file.find('/') != std::string::npos) return "manifest.json names a path: " + file;
      if (missing(file)) return file + " is missing";
      if (sha256_file(folder / file) != hash.as_string(where))
        return file + " does not match its hash";
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::data) throw;  // a disk in trouble damaged nothing yet
    return error.what();
  }
  return {};
}

std::optional<CheckpointFolder> newest_intact_checkpoint(Run& run) {
  std::vector<CheckpointFolder> found = list_checkpoints(run.folder());
  for (auto it = found.rbegin(); it != found.rend(); ++it) {
    require_known_format(it->path);
    const std::string problem = checkpoint_problem(it->path);
    if (problem.empty()) return *it;
    run.log(LogLevel::warning,
            it->path.filename().string() + " is damaged and passed over: " + problem);
  }
  return std::nullopt;
}

void delete_old_checkpoints(Run& run, int64_t newest, int64_t keep) {
  std::vector<CheckpointFolder> found = list_checkpoints(run.folder());
  std::erase_if(found, [&](const auto& each) { return each.step > newest; });
  const auto excess = static_cast<int64_t>(found.size()) - std::max<int64_t>(keep, 1);
  for (int64_t i = 0; i < excess; ++i) {
    run.remove(found[static_cast<std::size_t>(i)].path.filename().string());
  }
}

void delete_newer_checkpoints(Run& run, int64_t step) {
  for (const CheckpointFolder& found : list_checkpoints(run.folder())) {
    if (found.step <= step) continue;
    const std::string name = found.path.filename().string();
    run.log(LogLevel::warning,
            name + " is removed: the run goes on from step " + std::to_string(step));
    run.remove(name);
  }
}

}  // namespace cupel::nn
