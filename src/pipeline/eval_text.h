// The steps of a perplexity task: blocks of text, their likelihoods, the n-gram baseline.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "data/tokenizer/tokenizer.h"
#include "pipeline/eval.h"

namespace cupel::pipeline::eval {

/// predictions.jsonl under construction: it appears whole with commit(). Without a run folder
/// nothing is written.
class Predictions {
 public:
  Predictions(const Run& run, std::string_view name);
  void append(const json::Value& row);
  void commit();

 private:
  std::optional<AtomicFile> file_;
};

/// Documents cut after line ends into blocks of at most 4 KiB (a longer line stands alone, cut
/// between characters), the unit over which intervals are resampled. Each block is weighed on its
/// own: its first token has no context, for the model as for the baseline. Blank ones are left out.
std::vector<std::string> cut_blocks(const std::vector<std::string>& documents);

/// An n-gram model behind a tokenizer.
class NgramScorer {
 public:
  /// Throws Error{data} if `texts` hold no token.
  NgramScorer(Tokenizer tokenizer, const std::vector<std::string>& texts, int order);
  Likelihood likelihood(std::string_view text) const;
  std::string name() const;

 private:
  Tokenizer tokenizer_;
  NgramModel model_;
};

/// Bits a byte over all blocks, with a percentile bootstrap over them; `baseline` may be null.
TaskReport weigh(const TaskConfig& task, const std::vector<std::string>& blocks,
                 const LikelihoodScorer& scorer, const NgramScorer* baseline, Run& run,
                 Predictions& predictions);

}  // namespace cupel::pipeline::eval
