#include <algorithm>
#include <set>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/rng.h"
#include "compress/compress.h"
#include "data/labelled.h"
#include "pipeline/claims/nested_run.h"
#include "pipeline/claims/protocols.h"
#include "pipeline/run_folder.h"

namespace cupel::pipeline::claims {
namespace {

struct Settings {
  TrainStage train;
  compress::Config compress;
  Path data;
  std::vector<std::string> columns;
  std::string text_field = "text", label_field = "label";
  std::string split, test_split;
  int64_t folds = 0;
  int64_t classes = 0;
  static constexpr auto fields() {
    using C = Settings;
    return std::tuple{
        Field{"train", &C::train, "as in a recipe, without datasets"},
        Field{"compress", &C::compress, "as in a recipe, without model, datasets and measure.data"},
        Field{"data", &C::data, "file of texts and their classes"},
        Field{"columns", &C::columns, "names of the fields of rows that are arrays"},
        Field{"text_field", &C::text_field, "field of the text"},
        Field{"label_field", &C::label_field, "field of its class"},
        Field{"split", &C::split, "which member of a .json object of splits to learn from"},
        Field{"test_split", &C::test_split, "and which to measure on"},
        Field{"folds", &C::folds,
              "parts of the texts by their hash, one of which each random seed measures on; 0: "
              "test_split",
              0, 1000},
        Field{"classes", &C::classes, "the first so many in the order of their names; 0: all", 0,
              1e6}};
  }
};

struct Split {
  std::vector<LabelledText> train, test;
};

/// Equal texts stay on one side.
Split split_rows(const Settings& settings, uint64_t seed) {
  const auto read = [&](const std::string& split) {
    return read_labelled(settings.data.text,
                         {{split, settings.columns}, settings.text_field, settings.label_field},
                         nullptr);
  };
  Split rows{read(settings.split), {}};
  if (settings.folds == 0) {
    rows.test = read(settings.test_split);
  } else {
    const auto folds = static_cast<uint64_t>(settings.folds);
    std::vector<LabelledText> all = std::move(rows.train);
    rows.train.clear();
    for (LabelledText& row : all)
      (hash64(row.text) % folds == seed % folds ? rows.test : rows.train).push_back(std::move(row));
  }
  if (settings.classes == 0) return rows;
  std::set<std::string> labels;
  for (const LabelledText& row : rows.train) labels.insert(row.label);
  while (static_cast<int64_t>(labels.size()) > settings.classes) labels.erase(--labels.end());
  const auto left_out = [&](const LabelledText& row) { return !labels.contains(row.label); };
  std::erase_if(rows.train, left_out);
  std::erase_if(rows.test, left_out);
  return rows;
}

std::string as_jsonl(const std::vector<LabelledText>& rows) {
  std::string text;
  for (const LabelledText& row : rows)
    text += json::dump(json::Object{{"text", row.text}, {"label", row.label}}) + "\n";
  return text;
}

json::Value step_of(const json::Value& report, std::string_view name) {
  for (const json::Value& step : report.at("steps", "compress").as_array("steps"))
    if (text_at(step, "name") == name) return step;
  fail(ErrorKind::config, "settings.compress", "gives no step \"" + std::string(name) + "\"",
       "leave prune and quantize in");
}

}  // namespace

ClaimValues compression(const ClaimContext& context) {
  CUPEL_ASSERT(context.heavy.train != nullptr && context.heavy.recover_classifier);
  auto settings = context.settings<Settings>();
  const std::filesystem::path data = context.folder / "data";
  const Split rows = split_rows(settings, context.seed);
  write_folder_atomically(data, [&](const std::filesystem::path& staging) {
    write_file_atomically(staging / "train.jsonl", as_jsonl(rows.train));
    write_file_atomically(staging / "test.jsonl", as_jsonl(rows.test));
  });
  train::DatasetConfig learned;
  learned.path = {(data / "train.jsonl").string()};
  settings.train.task = train::Task::classify;
  settings.train.datasets = {learned};
  const json::Value trained =
      run_nested(context, "train", "train", settings.train,
                 [&](const TrainStage& c, Run& run) { return context.heavy.train(c, run); });

  compress::Config& config = settings.compress;
  config.model.text = (context.folder / "train" / text_at(trained, "model")).string();
  compress::DataConfig texts;
  texts.path = learned.path;
  config.datasets = {texts};
  if (!config.measure) config.measure.emplace();
  config.measure->data = {};
  config.measure->data.path = {(data / "test.jsonl").string()};
  const json::Value report =
      run_nested(context, "compress", "compress", config, [&](const compress::Config& c, Run& run) {
        return compress::run(c, context.heavy.recover_classifier, run);
      });

  const json::Value first = step_of(report, "fp32"), last = step_of(report, "pruned_w4a8");
  const double before = number_at(first, "latency_ms.p50"),
               after = number_at(last, "latency_ms.p50");
  const double right = number_at(first, "accuracy");
  ClaimValues values;
  values["latency_ratio"] = {before / after, {}, before};
  values["latency_ms_fp32"] = {before};
  values["latency_ms_final"] = {after, {}, before};
  values["accuracy_drop_points"] = {100 * (right - number_at(last, "accuracy")), {}, 100 * right};
  values["pruned_share"] = {number_at(report, "pruned_share")};
  values["bytes_ratio"] = {number_at(report, "bytes.before") / number_at(report, "bytes.after"),
                           {},
                           number_at(report, "bytes.before")};
  for (const char* name : {"bf16", "w4a8", "pruned"}) {
    const json::Value step = step_of(report, name);
    values["latency_ratio_" + std::string(name)] = {
        before / number_at(step, "latency_ms.p50"), {}, before};
    values["accuracy_drop_points_" + std::string(name)] = {
        100 * (right - number_at(step, "accuracy")), {}, 100 * right};
  }
  return values;
}

}  // namespace cupel::pipeline::claims
