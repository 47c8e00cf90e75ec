#include <fmt/format.h>

#include <filesystem>
#include <unordered_map>
#include <unordered_set>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/text.h"
#include "curate/curate.h"
#include "data/read.h"
#include "data/unicode.h"
#include "pipeline/claims/dirty_pool.h"
#include "pipeline/claims/nested_run.h"
#include "pipeline/claims/protocols.h"
#include "pipeline/run_folder.h"
#include "pipeline/verbs.h"

namespace cupel::pipeline::claims {
namespace {

namespace fs = std::filesystem;

struct CurationClaim {
  Path recipe;
  std::string recipe_sha256;
  Path texts, off_domain;
  std::string data_set, rows, truth;
  std::vector<double> curve;
  static constexpr auto fields() {
    using C = CurationClaim;
    return std::tuple{
        Field{"recipe", &C::recipe, "its curate section is measured, as it is"},
        Field{"recipe_sha256", &C::recipe_sha256, "of that file, whose thresholds are claimed"},
        Field{"texts", &C::texts, "valid texts, in the fields that the recipe names"},
        Field{"off_domain", &C::off_domain, "texts of other domains, with source and text"},
        Field{"data_set", &C::data_set, "a pool that is given, in this folder below CUPEL_DATA"},
        Field{"rows", &C::rows, "its file of rows with id, label and text"},
        Field{"truth", &C::truth, "its file with id, kind, subkind and dup_of"},
        Field{"curve", &C::curve, "further fits of the topic to measure", 0, 1}};
  }
};

/// As `cupel curate RECIPE` reads it, if the recipe is the one that the claim speaks of.
curate::Config recipe_config(const CurationClaim& settings, const ClaimContext& context) {
  const std::string hash = sha256_file(settings.recipe.text);
  if (hash != settings.recipe_sha256) {
    fail(ErrorKind::config, context.claim.id + ".yaml",
         "recipe_sha256: " + settings.recipe.text + " is another file today, " + hash,
         "the thresholds claimed are that recipe's: measure with it again before writing its hash");
  }
  CommandLine line;
  line.verb = &find_verb("curate");
  line.words = {settings.recipe.text};
  const Recipe recipe = make_request(std::move(line), context.heavy).recipe;
  auto config = settings_of<curate::Config>(recipe.stages.front(), recipe);
  if (!config.topic || config.required_fields.size() != 1) {
    fail(ErrorKind::config, settings.recipe.text, "curate: lacks topic or required_fields",
         "give both; the one required field is the label");
  }
  return config;
}

/// Distinct texts are told by their normal form, the one in which duplicates are compared.
class TextSet {
 public:
  bool insert(std::string_view text) { return forms_.insert(normal_form(text)).second; }
  bool contains(std::string_view text) const { return forms_.contains(normal_form(text)); }

 private:
  std::unordered_set<std::string> forms_;
};

/// What the topic is fitted on, read as the topic reads it.
TextSet texts_of(const Path& path, const std::string& text_field) {
  CorpusOptions options;
  options.text_field = text_field;
  options.document_a_line = true;
  TextSet texts;
  for (const Document& document : read_corpus(path.text, options, nullptr).documents)
    texts.insert(document.text);
  return texts;
}

std::string field_of(const json::Value& row, std::string_view field, const std::string& where) {
  const json::Value* value = row.find(field);
  if (value == nullptr || value->is_null()) return {};
  return value->is_int() ? std::to_string(value->as_int(where)) : value->as_string(where);
}

void for_each(const fs::path& path, const std::function<void(const json::Value&)>& take) {
  for_each_row(
      path, {},
      [&](json::Value&& row, int64_t) {
        take(row);
        return std::optional<RowProblem>();
      },
      nullptr);
}

std::vector<SourceText> read_texts(const Path& path, const std::string& source_field,
                                   const std::string& text_field) {
  std::vector<SourceText> texts;
  for_each(path.text, [&](const json::Value& row) {
    texts.push_back({field_of(row, source_field, path.text), field_of(row, text_field, path.text)});
  });
  return texts;
}

/// Valid rows are texts that the reference does not hold, each once.
std::vector<PoolRow> made_pool(const CurationClaim& settings, const curate::Config& config,
                               const TextSet& reference, uint64_t seed) {
  TextSet seen;
  std::vector<SourceText> texts =
      read_texts(settings.texts, config.required_fields[0], config.text_field);
  std::erase_if(texts, [&](const SourceText& text) {
    return reference.contains(text.text) || !seen.insert(text.text);
  });
  return make_dirty_pool(std::move(texts), read_texts(settings.off_domain, "source", "text"), seed);
}

/// The rows of a set whose truth came with it, without those that the reference holds and without
/// their copies.
std::vector<PoolRow> given_pool(const fs::path& rows, const fs::path& truth,
                                const TextSet& reference) {
  std::vector<PoolRow> pool;
  std::unordered_set<std::string> left_out;
  for_each(rows, [&](const json::Value& row) {
    const std::string where = rows.string();
    PoolRow& added = pool.emplace_back();
    added.id = field_of(row, "id", where);
    added.label = field_of(row, "label", where);
    added.text = field_of(row, "text", where);
    if (reference.contains(added.text)) left_out.insert(added.id);
  });
  std::unordered_map<std::string, json::Value> known;
  for_each(truth, [&](const json::Value& row) { known[field_of(row, "id", truth)] = row; });
  for (PoolRow& row : pool) {
    const json::Value& told = known[row.id];
    row.kind = field_of(told, "kind", truth);
    row.subkind = field_of(told, "subkind", truth);
    row.dup_of = field_of(told, "dup_of", truth);
  }
  std::erase_if(pool, [&](const PoolRow& row) {
    return left_out.contains(row.id) || left_out.contains(row.dup_of);
  });
  return pool;
}

/// No text that the topic was fitted on is scored.
void require_apart(const std::vector<PoolRow>& pool, const TextSet& fitted_on, const Path& file) {
  for (const PoolRow& row : pool) {
    if (!fitted_on.contains(row.text)) continue;
    fail(ErrorKind::data, file.text, "holds a text that is scored: \"" + clip(row.text, 80) + "\"",
         "take it out of one of the two");
  }
}

/// Rows for the filter, and in a file of its own the truth for the scorer.
void write_pool(const std::vector<PoolRow>& pool, const curate::Config& config,
                const fs::path& folder) {
  std::string rows, truth = "id,kind,subkind,dup_of\n";
  for (const PoolRow& row : pool) {
    rows += json::dump(json::Object{{"id", row.id},
                                    {config.required_fields[0], row.label},
                                    {config.text_field, row.text}}) +
            "\n";
    truth += fmt::format("{},{},{},{}\n", row.id, row.kind, row.subkind, row.dup_of);
  }
  make_folders(folder.parent_path());
  write_folder_atomically(folder, [&](const fs::path& staging) {
    write_file_atomically(staging / "rows.jsonl", rows);
    write_file_atomically(staging / "truth.csv", truth);
  });
}

json::Value filter(const ClaimContext& context, const std::string& name,
                   const curate::Config& config, const std::vector<fs::path>& sources) {
  return run_nested(context, name, "curate", config, [&](const curate::Config& c, Run& run) {
    for (const fs::path& source : sources) run.record_input(source);
    return curate::run(c, run);
  });
}

/// Writes the pool and gives the files that it was made from.
std::vector<fs::path> prepare_pool(const CurationClaim& settings, const curate::Config& config,
                                   const ClaimContext& context) {
  const TextSet reference = texts_of(config.topic->reference, config.text_field);
  const TextSet background = texts_of(config.topic->background, config.text_field);
  std::vector<fs::path> sources = {settings.texts.text, settings.off_domain.text};
  std::vector<PoolRow> pool;
  if (settings.data_set.empty()) {
    pool = made_pool(settings, config, reference, context.seed);
  } else {
    const auto folder = required_data_set(settings.data_set, context.claim.id + ".yaml");
    sources = {folder / settings.rows, folder / settings.truth};
    pool = given_pool(sources[0], sources[1], reference);
  }
  require_apart(pool, reference, config.topic->reference);
  require_apart(pool, background, config.topic->background);
  write_pool(pool, config, context.folder / "pool");
  return sources;
}

}  // namespace

ClaimValues curation(const ClaimContext& context) {
  const auto settings = context.settings<CurationClaim>();
  curate::Config config = recipe_config(settings, context);
  const std::vector<fs::path> sources = prepare_pool(settings, config, context);
  config.input = {{(context.folder / "pool/rows.jsonl").string()}};
  config.id_field = "id";
  config.truth = {(context.folder / "pool/truth.csv").string()};

  const json::Value report = filter(context, "curate", config, sources);
  const json::Value& score = *find_path(report, "score");
  ClaimValues values;
  values["residual"] = {number_at(score, "residual"), {}, number_at(score, "invalid_before")};
  values["valid_lost"] = {number_at(score, "valid_lost")};
  for (const auto& [kind, recall] : score.at("recall", "score").as_object("recall"))
    values["recall_" + kind] = {recall.as_double(kind)};
  values["calibration_error"] = {number_at(report, "topic.calibration_error")};
  const double claimed = config.topic->fit;
  for (const double fit : settings.curve) {
    config.topic->fit = fit;
    const json::Value at_fit =
        fit == claimed ? report : filter(context, "fit_" + shortest(fit), config, sources);
    for (const std::string metric : {"residual", "valid_lost"})
      values[metric + "_at_fit_" + shortest(fit)] = {number_at(at_fit, "score." + metric)};
  }
  return values;
}

}  // namespace cupel::pipeline::claims
