// `train` under task: classify: a BERT encoder that puts texts into classes.
#pragma once

#include <string>
#include <vector>

#include "nn/classified_rows.h"
#include "nn/classifier_config.h"
#include "nn/precision.h"
#include "train/plan.h"
#include "train/train.h"

namespace cupel::train {

/// Settings that a task has no meaning for, and what of the others does not fit it; a sentence
/// each.
std::vector<std::string> problems_of_classify(const Config& config);
std::vector<std::string> problems_of_causal_lm(const Config& config);

/// The model that will be trained: that of base_model, or the recipe's with the tokenizer's
/// vocabulary, with `labels` as its classes. Throws Error{config} if model and tokenizer disagree
/// about the vocabulary, or model and recipe about the length.
nn::ClassifierConfig resolve_classifier(const Config& config, int64_t vocab_size,
                                        std::vector<std::string> labels);

/// As plan() has it; of the tokens an estimate.
Plan plan_classifier(const Config& config, const nn::ClassifierConfig& model, nn::Precision compute,
                     const nn::BatchSizes& batches, const nn::HookMemory& hooks = {},
                     int64_t world_size = 1);

/// What run() does under task: classify.
Report run_classify(const Config& config, const nn::FitHooks& hooks, Run& run);

}  // namespace cupel::train
