// Checkpoint folders: which one to go on from, which to delete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/run.h"

namespace cupel::nn {

struct CheckpointFolder {
  int64_t step = 0;
  std::filesystem::path path;
};

/// `checkpoint-<step>` folders of a run, oldest first. Staging folders are not among them.
std::vector<CheckpointFolder> list_checkpoints(const std::filesystem::path& run_folder);

/// Writes manifest.json into a finished checkpoint folder: format version and the SHA-256 of every
/// file.
void write_checkpoint_manifest(const std::filesystem::path& folder);

/// What is wrong with a checkpoint (missing manifest, unknown format version, file missing or
/// altered), or empty.
std::string checkpoint_problem(const std::filesystem::path& folder);

/// The newest checkpoint whose files all match its manifest; damaged ones are logged and passed
/// over. Throws Error{config} at a newer one of a format that this version does not know.
std::optional<CheckpointFolder> newest_intact_checkpoint(Run& run);

/// Deletes the oldest of the checkpoints up to step `newest`, itself never, until `keep` are left.
void delete_old_checkpoints(Run& run, int64_t newest, int64_t keep);

/// Deletes the checkpoints after step `step`, which a run that goes on from there leaves behind;
/// each is logged.
void delete_newer_checkpoints(Run& run, int64_t step);

}  // namespace cupel::nn
