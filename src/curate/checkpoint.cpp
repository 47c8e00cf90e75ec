#include "curate/checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/atomic_file.h"
#include "base/config_doc.h"
#include "base/config_yaml.h"
#include "base/error.h"

namespace cupel::curate {
namespace {

namespace fs = std::filesystem;

constexpr const char *kFolder = "checkpoint-curate", *kState = "state.json";

/// JSON is YAML, whose reader knows the types. None for a file of another format.
std::optional<Progress> read_progress(const fs::path& path) {
  const yaml::Node node = yaml::parse(read_file(path), path.string());
  const yaml::Node* format = node.find("format");
  if (format == nullptr || yaml::read_int(*format, "format") != Progress::kFormat)
    return std::nullopt;
  Progress progress;
  yaml::read_struct(node, progress, {});
  return progress;
}

}  // namespace

Checkpoint::Checkpoint(double seconds, RowStore& rows, Progress& progress, Run& run)
    : seconds_(seconds), rows_(rows), progress_(progress), run_(run), saved_at_(run.seconds()) {}

bool Checkpoint::load() {
  const fs::path folder = run_.folder() / kFolder;
  if (!run_.resuming() || !fs::exists(folder)) return false;
  std::string problem = "it is of another version";
  try {
    if (auto progress = read_progress(folder / kState)) {
      if (rows_.load(folder, progress->rows)) {
        progress_ = std::move(*progress);
        return true;
      }
      problem = "its rows are not those that were saved";
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::resource) throw;  // a disk in trouble damaged nothing yet
    problem = error.what();
  }
  run_.log(LogLevel::warning,
           std::string(kFolder) + " is passed over, and the run begins again: " + problem);
  return false;
}

void Checkpoint::save() {
  if (!run_.has_folder()) return;
  const double begin = run_.seconds();
  run_.sync_metrics();  // with the rejects, which a resumed run does not meet again
  run_.write_folder(kFolder, [&](const fs::path& folder) {
    progress_.rows = rows_.save(folder);
    write_file_atomically(folder / kState, json::dump(to_json(progress_), 2) + "\n");
  });
  saved_at_ = run_.seconds();
  cost_ = saved_at_ - begin;
}

void Checkpoint::save_if_due() {
  constexpr double kWorkACost = 20;
  if (run_.seconds() - saved_at_ >= std::max(seconds_, kWorkACost * cost_)) save();
}

void Checkpoint::save_pass() {
  if (run_.seconds() - saved_at_ >= std::min(seconds_, 1.0)) save();
}

void Checkpoint::remove() { run_.remove(kFolder); }

}  // namespace cupel::curate
