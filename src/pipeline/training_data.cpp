#include "pipeline/training_data.h"

#include <utility>

namespace cupel::pipeline {
namespace {

std::unique_ptr<Run> reading_run(const Request& request) {
  RunOptions options;
  options.seed = static_cast<uint64_t>(request.recipe.seed);
  options.threads = request.recipe.threads;
  auto run = std::make_unique<Run>(std::move(options));
  for (const Sink& sink : request.sinks) run->subscribe(sink);
  return run;
}

}  // namespace

TrainingData read_training_data(const train::Config& config, const Request& request) {
  auto run = reading_run(request);
  const auto sets = train::text_sets(config, *run);
  const train::TokenStore store(config, *run);
  Tokenizer tokenizer = train::make_tokenizer(config, sets, store, *run);
  train::Dataset data = train::tokenize(config, sets, tokenizer, store, *run);
  train::SequenceOrder order(std::move(data.train), config.sequence_len, *run);
  return {std::move(run), std::move(tokenizer), std::move(order)};
}

ClassifierData read_classifier_data(const train::Config& config, const Request& request) {
  auto run = reading_run(request);
  train::ClassifyData rows = train::read_classify(config, *run);
  return {std::move(run), std::move(rows)};
}

}  // namespace cupel::pipeline
