// How much more a text is about the reference's topics than about the background's.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "curate/lda.h"
#include "curate/vocabulary.h"

namespace cupel::curate {

/// Topics of reference and background together; a topic's weight is
/// ln p(topic | reference) - ln p(topic | background), a text's score the mean weight of the topics
/// that its tokens fold into.
class LdaScore {
 public:
  LdaScore(std::span<const std::string_view> reference,
           std::span<const std::string_view> background, const LdaOptions& options, uint64_t seed,
           ThreadPool& pool, const std::function<void()>& poll = {});

  /// Nats a token; 0 for a text without known terms.
  double score(std::string_view text) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  const LdaModel& model() const { return model_; }

 private:
  Vocabulary vocabulary_;
  LdaModel model_;
  std::vector<int32_t> weights_;  // a topic each
};

}  // namespace cupel::curate
