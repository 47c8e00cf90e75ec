// `curate`: a corpus filtered row by row and against itself, with a reason for every row.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/run.h"
#include "curate/decontaminate.h"
#include "curate/duplicates.h"
#include "curate/pii.h"
#include "curate/rules.h"
#include "curate/score.h"
#include "curate/semantic.h"
#include "curate/stages.h"
#include "curate/topic.h"

namespace cupel::curate {

struct Config {
  std::vector<Path> input;
  std::string text_field = "text";
  std::string id_field = "id";
  std::vector<std::string> required_fields;
  std::optional<FormatConfig> format = FormatConfig{};
  std::vector<std::string> language;
  PiiConfig pii;
  std::optional<DecontaminateConfig> decontaminate;
  DedupConfig dedup;
  std::optional<TopicConfig> topic;
  std::optional<SemanticConfig> semantic;
  std::vector<Path> against;
  ByteSize memory_limit{INT64_C(2) << 30};
  double save_seconds = 60;
  Path truth;

  static constexpr auto fields() {
    using C = Config;
    return std::tuple{
        Field{"input", &C::input,
              "files of documents: .jsonl .json .csv .txt, also .gz or .zst; .parquet"},
        Field{"text_field", &C::text_field, "field of a document's text"},
        Field{"id_field", &C::id_field, "field of its id; where it is missing, the line number"},
        Field{"required_fields", &C::required_fields,
              "drop a row in which one of these is missing, null or empty"},
        Field{"format", &C::format, "rules on a text alone; null = none"},
        Field{"language", &C::language, "keep these languages alone: ISO 639-1 codes"},
        Field{"pii", &C::pii, "personal data; a list alone names kinds whose rows are dropped"},
        Field{"decontaminate", &C::decontaminate,
              "drop a row that holds a text of an evaluation set; a list alone names the sets"},
        Field{"dedup", &C::dedup, "duplicates within the input and against earlier corpora"},
        Field{"topic", &C::topic, "drop what does not belong to the domain of a reference"},
        Field{"semantic", &C::semantic, "drop by meaning, as vectors of sentences have it"},
        Field{"against", &C::against,
              "kept.jsonl of earlier runs: what they hold is dropped from the input"},
        Field{"memory_limit", &C::memory_limit, "the rest goes to disk, in the run's folder",
              0x1p26, 0x1p50},
        Field{"save_seconds", &C::save_seconds,
              "between two checkpoints of the first pass, from which --resume goes on", 0, 1e6},
        Field{"truth", &C::truth,
              ".csv with id, kind and dup_of, by which the result is scored, and nothing decided"}};
  }
  std::vector<std::string> problems() const;
};

/// A dropped row for people, chosen by a hash of its number.
struct DropSample {
  std::string stage, rule, id, text;
  double value = 0, threshold = 0;
  std::string kept_id, kept_text, evaluation, match;
  static constexpr auto fields() {
    using C = DropSample;
    return std::tuple{Field{"stage", &C::stage, "that dropped it"},
                      Field{"rule", &C::rule, "that it breaks"},
                      Field{"id", &C::id, "of the row"},
                      Field{"text", &C::text, "its beginning"},
                      Field{"value", &C::value, "found"},
                      Field{"threshold", &C::threshold, "held to"},
                      Field{"kept_id", &C::kept_id, "of a duplicate: the row that stays"},
                      Field{"kept_text", &C::kept_text, "its beginning"},
                      Field{"evaluation", &C::evaluation, "text that the row holds: file:line"},
                      Field{"match", &C::match, "the words of the row that agree"}};
  }
};

struct Report {
  int64_t input = 0, kept = 0, rejected = 0;
  std::map<std::string, int64_t> dropped;
  std::map<std::string, int64_t> dropped_by_rule;
  int64_t edited = 0;
  std::map<std::string, int64_t> edited_by_rule;
  std::vector<std::string> stages;
  double kept_share = 0;
  int64_t passes = 0, against = 0;
  double documents_per_second = 0;
  std::optional<DecontaminateReport> decontaminate;
  std::optional<TopicReport> topic;
  std::optional<SemanticReport> semantic;
  std::optional<Score> score;
  std::vector<DropSample> samples;
  std::optional<std::string> resumed_from;

  static constexpr auto fields() {
    using C = Report;
    return std::tuple{
        Field{"input", &C::input, "rows: kept + rejected + all that were dropped"},
        Field{"kept", &C::kept, "rows of kept.jsonl"},
        Field{"rejected", &C::rejected, "rows that could not be read, of rejects.jsonl"},
        Field{"dropped", &C::dropped, "rows by the stage that dropped them"},
        Field{"dropped_by_rule", &C::dropped_by_rule, "rows by STAGE.RULE"},
        Field{"edited", &C::edited, "rows of kept.jsonl whose text was changed"},
        Field{"edited_by_rule", &C::edited_by_rule, "of these, rows by STAGE.RULE"},
        Field{"stages", &C::stages, "in the order in which they decided"},
        Field{"kept_share", &C::kept_share, "kept over input"},
        Field{"passes", &C::passes, "times that the input was read from end to end"},
        Field{"against", &C::against, "rows of earlier corpora"},
        Field{"documents_per_second", &C::documents_per_second, "input over seconds"},
        Field{"decontaminate", &C::decontaminate, "evaluation texts that were looked for"},
        Field{"topic", &C::topic, "how well the topic fit tells reference and background apart"},
        Field{"semantic", &C::semantic, "what the search by meaning did; null without"},
        Field{"score", &C::score, "against the truth; null without"},
        Field{"samples", &C::samples, "dropped rows, at most three a rule"},
        Field{"resumed_from", &C::resumed_from, "pass that a checkpoint let the run go on with"}};
  }
};

/// Writes kept.jsonl (the rows that stay, byte for byte where the input is .jsonl; where a stage
/// changed a text, that field alone is new, and "edited" true) and decisions.jsonl (one row an
/// input row). The same bytes for every number of threads, memory limit and way the input is
/// compressed. A run that resumes goes on from its checkpoint: within the first pass every
/// save_seconds, then after each pass. Throws Error{config} for files that are missing, Error{data}
/// for rows of `against` that cannot be read, for a truth that names no row of the input, and where
/// nothing is kept (both files are written first), Error{resource} for a full disk, Interrupted
/// when asked to stop. `embedder`: by which config.semantic compares; without that it may be empty.
Report run(const Config& config, const Embedder& embedder, Run& run);
/// Without config.semantic.
inline Report run(const Config& config, Run& run) { return curate::run(config, {}, run); }

}  // namespace cupel::curate
