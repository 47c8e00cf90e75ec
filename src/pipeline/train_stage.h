// The section `train` of a recipe: the verb's own settings, and the hooks that other capabilities
// bring to it.
#pragma once

#include <optional>
#include <tuple>

#include "augment/embeddings.h"
#include "train/train.h"

namespace cupel::pipeline {

struct TrainStage : train::Config {
  std::optional<augment::EmbeddingConfig> augment;
  static constexpr auto fields() {
    return std::tuple_cat(
        train::Config::fields(),
        std::tuple{Field{"augment", &TrainStage::augment,
                         "train on embeddings moved against the model; default: as they are"}});
  }
};

struct TrainReport : train::Report {
  std::optional<augment::EmbeddingReport> augment;
  static constexpr auto fields() {
    return std::tuple_cat(train::Report::fields(),
                          std::tuple{Field{"augment", &TrainReport::augment,
                                           "moved embeddings, null where they were left alone"}});
  }
};

}  // namespace cupel::pipeline
