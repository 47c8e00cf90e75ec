// A trained classifier behind its seam.
#pragma once

#include <filesystem>

#include "base/parallel.h"
#include "data/blackbox.h"
#include "data/tokenizer/tokenizer.h"
#include "nn/classifier_config.h"

namespace cupel::nn {

/// Reads a folder as train leaves it under task: classify, as compress leaves it, or as
/// transformers saves a BertForSequenceClassification with its tokenizer.json. Computes in the
/// format that the weights are stored in (Classifier::load); of a text longer than the model's
/// positions it reads the beginning. Throws what Classifier::load() and load_tokenizer() throw.
/// `pool` must outlive it.
TextClassifier text_classifier(const std::filesystem::path& folder, ThreadPool& pool);

/// The tokens of a text, at most `most`; at least one. `shortened`, if set, counts the texts that
/// lose some.
std::vector<int32_t> classifier_tokens(const Tokenizer& tokenizer, std::string_view text,
                                       const ClassifierConfig& config,
                                       int64_t* shortened = nullptr);

}  // namespace cupel::nn
