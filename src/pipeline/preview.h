// `preview`: the first sequences that training would read, token by token.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/verbs.h"

namespace cupel::pipeline {

struct PreviewConfig {
  int64_t sequences = 3;
  bool ids = false;
  bool colours = false;
  static constexpr auto fields() {
    using C = PreviewConfig;
    return std::tuple{Field{"sequences", &C::sequences, "sequences to show", 1, 1000},
                      Field{"ids", &C::ids, "show the id behind each token"},
                      Field{"colours", &C::colours, "green what is learned, faint what is not"}};
  }
};

struct PreviewToken {
  int64_t id = 0;
  std::string piece;
  bool learned = false;  // it is a label
  bool begins = false;   // a document
  static constexpr auto fields() {
    using C = PreviewToken;
    return std::tuple{Field{"id", &C::id, "row of the embedding"},
                      Field{"piece", &C::piece, "its text"},
                      Field{"learned", &C::learned, "counts as a label"},
                      Field{"begins", &C::begins, "first token of a document"}};
  }
};

struct PreviewSequence {
  std::vector<PreviewToken> tokens;
  std::optional<std::string> label = {};
  static constexpr auto fields() {
    using C = PreviewSequence;
    return std::tuple{Field{"tokens", &C::tokens, "without the padding"},
                      Field{"label", &C::label, "class of the text (task: classify)"}};
  }
};

struct PreviewReport {
  std::string stage;
  int64_t vocab_size = 0, sequences_per_epoch = 0, rejected = 0;
  std::vector<PreviewSequence> sequences;
  PreviewConfig shown{};  // how text() shows them
  static constexpr auto fields() {
    using C = PreviewReport;
    return std::tuple{Field{"stage", &C::stage, "section of the recipe"},
                      Field{"vocab_size", &C::vocab_size, "tokens of the tokenizer"},
                      Field{"sequences_per_epoch", &C::sequences_per_epoch, "in one pass"},
                      Field{"rejected", &C::rejected, "rows that were not taken"},
                      Field{"sequences", &C::sequences, "in the order of training"}};
  }
  std::string text() const;
};

/// Of the recipe's first train stage. Throws Error{config} where it has none.
PreviewReport preview(const PreviewConfig& config, const Request& request);

}  // namespace cupel::pipeline
