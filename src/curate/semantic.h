// Level 2 over a corpus, by what its rows mean: those that repeat a kept one go, or those stay that
// are close to a reference.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/config.h"
#include "base/run.h"
#include "curate/row_store.h"
#include "curate/texts.h"
#include "data/blackbox.h"
#include "nn/encoder_precision.h"

namespace cupel::curate {

/// duplicate: drop a row whose cosine with an earlier kept one is `similarity` or more. reference:
/// keep a row whose highest cosine with a document of `reference` is.
enum class SemanticMode { duplicate, reference };
constexpr std::array<std::string_view, 2> names(SemanticMode) { return {"duplicate", "reference"}; }

struct SemanticConfig {
  ModelPath encoder;
  nn::EncoderPrecision precision = nn::EncoderPrecision::mixed;
  double similarity = 0.85;
  SemanticMode mode = SemanticMode::duplicate;
  Path reference;

  static constexpr auto fields() {
    using C = SemanticConfig;
    return std::tuple{
        Field{
            "encoder", &C::encoder,
            "BERT model, a folder or org/name in the Hugging Face cache; default: all-MiniLM-L6-v2 "
            "of scripts/setup --models"},
        Field{"precision", &C::precision,
              "of its products; mixed is bf16; int8 is faster and less exact"},
        Field{"similarity", &C::similarity, "cosine from which two texts mean the same", -1, 1},
        Field{"mode", &C::mode, "drop duplicates by meaning, or keep what is close to reference"},
        Field{"reference", &C::reference, "file of documents to be close to (mode reference)"}};
  }
};

/// Rows by the highest cosine of each.
struct CosineBin {
  double from = 0, to = 0;
  int64_t kept = 0, dropped = 0;
  static constexpr auto fields() {
    using C = CosineBin;
    return std::tuple{Field{"from", &C::from, "lowest cosine of the bin"},
                      Field{"to", &C::to, "where the next one begins; 1 belongs to the last"},
                      Field{"kept", &C::kept, "rows that stay"},
                      Field{"dropped", &C::dropped, "rows that go"}};
  }
};

struct SemanticReport {
  std::string encoder, precision, mode;
  double similarity = 0;
  int64_t vectors = 0, references = 0, pairs = 0, pairs_compared = 0;
  double sentences_per_second = 0;
  std::vector<CosineBin> cosines;
  static constexpr auto fields() {
    using C = SemanticReport;
    return std::tuple{
        Field{"encoder", &C::encoder, "that made the vectors"},
        Field{"precision", &C::precision, "of its products"},
        Field{"mode", &C::mode, "duplicate or reference"},
        Field{"similarity", &C::similarity, "cosine that decides"},
        Field{"vectors", &C::vectors, "texts that were encoded, references among them"},
        Field{"references", &C::references, "documents that stay, or are to be close to"},
        Field{"pairs", &C::pairs, "of texts, all of which were searched"},
        Field{"pairs_compared", &C::pairs_compared, "of these, not ruled out by a bound"},
        Field{"sentences_per_second", &C::sentences_per_second, "encoded"},
        Field{"cosines", &C::cosines,
              "rows by highest cosine, in bins of 0.02 that hold any; mode duplicate knows it from "
              "0.1 below similarity on"}};
  }
};

/// Goes through the rows that nothing has dropped; of those below `first`, rows of earlier corpora,
/// every one is kept (mode duplicate) or passed over (mode reference). Each text is encoded once.
/// Enters rule semantic.duplicate, with the cosine as value and the most similar kept row, the
/// first of several; or semantic.far, with the highest cosine as value. Exact: no pair is missed.
/// The same for every number of threads; vectors may differ in the last bits between kernel rows,
/// and so may what lies at the threshold. Holds about `memory_bytes` of vectors in memory. Throws
/// what reading throws, Interrupted when asked to stop.
SemanticReport drop_by_meaning(const SemanticConfig& config, const Embedder& embedder,
                               const std::string& text_field, ParserPool& parsers, RowStore& rows,
                               int64_t first, int64_t memory_bytes, Run& run);

}  // namespace cupel::curate
