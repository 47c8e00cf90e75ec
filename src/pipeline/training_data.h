// What a train stage would read, without training: for plans and previews.
#pragma once

#include <memory>

#include "pipeline/recipe.h"
#include "train/classify_rows.h"
#include "train/dataset.h"

namespace cupel::pipeline {

struct TrainingData {
  std::unique_ptr<Run> run;  // without a folder: nothing is written
  Tokenizer tokenizer;
  train::SequenceOrder order;
};

/// Texts, tokenizer and sequences, by the seed of the request.
TrainingData read_training_data(const train::Config& config, const Request& request);

/// The same under task: classify.
struct ClassifierData {
  std::unique_ptr<Run> run;  // without a folder: nothing is written
  train::ClassifyData rows;
};
ClassifierData read_classifier_data(const train::Config& config, const Request& request);

}  // namespace cupel::pipeline
