// Requests for tests of pipeline/: a recipe file and words, with a train function that costs
// nothing.
#pragma once

#include <string>
#include <vector>

#include "pipeline/recipe.h"
#include "pipeline/verbs.h"
#include "support/files.h"

namespace cupel {

/// Reports its max_steps as steps and leaves model/weights, with what it was given.
inline pipeline::TrainReport pretend_to_train(const pipeline::TrainStage& config, Run& run) {
  run.write("model/weights", "base " + config.base_model.text + "\n");
  pipeline::TrainReport report;
  report.steps = config.max_steps.value_or(0);
  report.model = "model";
  return report;
}

inline pipeline::Heavy pretended_heavy() {
  pipeline::Heavy heavy;
  heavy.train = &pretend_to_train;
  return heavy;
}

/// `cupel VERB FILE OVERRIDE…` on the given text, written to recipe.yaml in `folder`.
inline pipeline::Request request_for(const TemporaryFolder& folder, const std::string& verb,
                                     const std::string& recipe,
                                     std::vector<std::string> overrides = {}) {
  pipeline::CommandLine line;
  line.verb = &pipeline::find_verb(verb);
  line.words = {folder.write("recipe.yaml", recipe).string()};
  line.overrides = std::move(overrides);
  return pipeline::make_request(std::move(line), pretended_heavy());
}

/// A section that is complete, for recipes in tests; further settings may follow, indented by two.
inline const std::string kTrainSection =
    "train:\n  model: {family: deepseek_v3}\n  tokenizer: {vocab_size: 300}\n"
    "  datasets: [{type: arithmetic, rows: 50}]\n  sequence_len: 64\n";

}  // namespace cupel
