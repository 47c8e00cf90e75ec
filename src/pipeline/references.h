// What the settings of a stage point at: outputs of earlier stages, and files that must be there.
#pragma once

#include <cstddef>
#include <filesystem>

#include "base/config_doc.h"
#include "pipeline/recipe.h"

namespace cupel::pipeline {

/// Throws Error{config} unless every `${section.output}` names an output of an earlier stage.
void check_references(const Recipe& recipe);

/// Settings of stage `index` with the path of the output, below the run's `folder`, in the place of
/// each reference.
yaml::Node with_outputs(const Recipe& recipe, std::size_t index,
                        const std::filesystem::path& folder);

/// Puts the path of a cached model in the place of each name such as org/name, unless a path of
/// that name exists. Throws Error{config} as find_cached_model does.
void find_models(Recipe& recipe);

/// The same of settings that are no stage's; `folder`: what their paths are relative to.
void find_models(yaml::Node& settings, const FieldDoc& section, const std::string& folder);

/// Throws Error{config} for a setting of type path or model that names nothing that exists.
void check_inputs(const Recipe& recipe);

/// Where a stage of a run in `folder` writes: there, or in a folder of its name if an earlier stage
/// is of its verb or has an output of the same path.
std::filesystem::path stage_folder(const Stage& stage, const std::filesystem::path& folder);

}  // namespace cupel::pipeline
