// A trained classifier behind its seam.
#pragma once

#include <filesystem>

#include "data/blackbox.h"

namespace cupel::nn {

/// Reads a folder as train leaves it under task: classify, or as transformers saves a
/// BertForSequenceClassification with its tokenizer.json. Computes in fp32; of a text longer than
/// the model's positions it reads the beginning. Throws what load_classifier() and load_tokenizer()
/// throw.
TextClassifier text_classifier(const std::filesystem::path& folder);

}  // namespace cupel::nn
