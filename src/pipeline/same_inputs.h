// A run that goes on reads the inputs it began with.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace cupel::pipeline {

/// The first input that `run`/manifest.json names whose SHA-256 is no longer the one there.
/// Outputs of earlier stages, below the folder `whole`, may change with the stage; a file that is
/// gone is for its reader to miss.
std::optional<std::string> changed_input(const std::filesystem::path& run,
                                         const std::filesystem::path& whole);

/// Throws Error{config} that names the changed input, if there is one.
void require_same_inputs(const std::filesystem::path& run, const std::filesystem::path& whole);

}  // namespace cupel::pipeline
