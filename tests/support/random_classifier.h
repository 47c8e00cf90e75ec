// A small text classifier with random weights, as a folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace cupel {

struct RandomClassifier {
  int64_t hidden_size = 64, intermediate_size = 128, layers = 2, heads = 2;
  uint64_t seed = 1;
};

/// Writes config.json, model.safetensors and the tokenizer of the classifier among the fixtures,
/// whose vocabulary, positions (32) and four classes it has. `folder` exists.
void write_random_classifier(const std::filesystem::path& folder,
                             const RandomClassifier& shape = {});

}  // namespace cupel
