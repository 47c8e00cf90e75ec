// A run that goes on reads the inputs it began with.
#pragma once

#include <filesystem>

namespace cupel::pipeline {

/// Compares the inputs that `run`/manifest.json names with their SHA-256 there. Throws
/// Error{config} that names the file that differs. Outputs of earlier stages, below the folder
/// `whole`, may change with the stage; a file that is gone is for its reader to miss.
void require_same_inputs(const std::filesystem::path& run, const std::filesystem::path& whole);

}  // namespace cupel::pipeline
