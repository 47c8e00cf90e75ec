// What the settings of a stage point at: outputs of earlier stages, and files that must be there.
#pragma once

#include <cstddef>
#include <filesystem>

#include "pipeline/recipe.h"

namespace cupel::pipeline {

/// Throws Error{config} unless every `${section.output}` names an output of an earlier stage.
void check_references(const Recipe& recipe);

/// Settings of stage `index` with the path of the output, below the run's `folder`, in the place of
/// each reference.
yaml::Node with_outputs(const Recipe& recipe, std::size_t index,
                        const std::filesystem::path& folder);

/// Throws Error{config} for a setting of type path that names nothing that exists.
void check_inputs(const Recipe& recipe);

/// Where a stage of a run in `folder` writes: the first of its verb there, repeats in a folder of
/// their name.
std::filesystem::path stage_folder(const Stage& stage, const std::filesystem::path& folder);

}  // namespace cupel::pipeline
