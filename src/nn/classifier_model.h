// A text classifier as numbers in memory, for those who change it: from and to its folder.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "nn/classifier_config.h"

namespace cupel::nn {

/// transformers' names (classifier_tensors) and fp32 values, row-major.
struct ClassifierModel {
  ClassifierConfig config;
  std::map<std::string, std::vector<float>> tensors;

  std::vector<float>& at(const std::string& name) { return tensors.at(name); }
  const std::vector<float>& at(const std::string& name) const { return tensors.at(name); }
};

/// In whatever format the folder stores them. Throws what Classifier::load() throws.
ClassifierModel read_classifier_model(const std::filesystem::path& folder);

/// The linear layers' weights as IQ4_NL blocks, by name ("….weight").
using CodedWeights = std::map<std::string, std::vector<std::byte>>;

/// Writes model.safetensors and config.json into `folder`, which exists. A weight that `codes` has
/// is stored as these (U8), tables of embeddings then as I8 with a factor a row; config.json says
/// so. Everything else is F32. Without codes transformers reads it.
void write_classifier_model(const std::filesystem::path& folder, const ClassifierModel& model,
                            const CodedWeights& codes = {}, int64_t group_size = 32);

/// The linear layers of encoder layer `index`, by their names without ".weight": query, key, value,
/// attention's output, up, down.
std::vector<std::string> linear_names(int64_t index);

}  // namespace cupel::nn
