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

struct CompressionClaim {
  TrainStage train;
  compress::PruneConfig prune;
  compress::RecoverConfig recover;
  compress::QuantizeConfig quantize;
  int64_t runs = 200;
  std::string test_split;
  int64_t folds = 0;
  int64_t classes = 0;
  static constexpr auto fields() {
    using C = CompressionClaim;
    return std::tuple{
        Field{"train", &C::train, "as in a recipe; its one data set is what is split"},
        Field{"prune", &C::prune, "of compress"},
        Field{"recover", &C::recover, "of compress"},
        Field{"quantize", &C::quantize, "of compress"},
        Field{"runs", &C::runs, "texts whose latency is measured", 1, 1e6},
        Field{"test_split", &C::test_split, "which member of the data set to measure on"},
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
Split split_rows(const CompressionClaim& settings, uint64_t seed) {
  const train::DatasetConfig& set = settings.train.datasets.front();
  const auto read = [&](const std::string& split) {
    return read_labelled(set.path.text, {{split, set.columns}, set.text_field, set.label_field},
                         nullptr);
  };
  Split rows{read(set.split), {}};
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

}  // namespace

ClaimValues compression(const ClaimContext& context) {
  CUPEL_ASSERT(context.heavy.train != nullptr && context.heavy.compress.recover);
  auto settings = context.settings<CompressionClaim>();
  const std::filesystem::path data = context.folder / "data";
  const Split rows = split_rows(settings, context.seed);
  make_folders(context.folder);
  write_folder_atomically(data, [&](const std::filesystem::path& staging) {
    write_file_atomically(staging / "train.jsonl", as_jsonl(rows.train));
    write_file_atomically(staging / "test.jsonl", as_jsonl(rows.test));
  });
  train::DatasetConfig learned;
  learned.path = {(data / "train.jsonl").string()};
  settings.train.datasets = {learned};
  const json::Value trained =
      run_nested(context, "train", "train", settings.train,
                 [&](const TrainStage& c, Run& run) { return context.heavy.train(c, run); });

  compress::Config config;
  config.model.text = (context.folder / "train" / text_at(trained, "model")).string();
  config.datasets.emplace_back().path = learned.path;
  config.prune = settings.prune;
  config.recover = settings.recover;
  config.quantize = settings.quantize;
  config.measure.emplace().runs = settings.runs;
  config.measure->data.path = {(data / "test.jsonl").string()};
  const json::Value report =
      run_nested(context, "compress", "compress", config, [&](const compress::Config& c, Run& run) {
        return compress::run(c, context.heavy.compress, run);
      });

  const auto median = [&](const std::string& step) {
    return number_at(report, "latency_ms." + step + ".p50");
  };
  const double ratio = number_at(report, "latency_ratio"), after = median("pruned_w4a8"),
               before = ratio * after, right = number_at(report, "accuracy.fp32");
  const auto drop = [&](const std::string& step) {
    return 100 * (right - number_at(report, "accuracy." + step));
  };
  ClaimValues values;
  values["latency_ratio"] = {ratio, {}, before};
  values["latency_ms_fp32"] = {median("fp32")};
  values["latency_ms_fp32_eager"] = {median("fp32_eager")};
  values["latency_ms_final"] = {after, {}, before};
  values["accuracy_drop_points"] = {drop("pruned_w4a8"), {}, 100 * right};
  values["pruned_share"] = {number_at(report, "pruned_share")};
  values["bytes_ratio"] = {number_at(report, "bytes.before") / number_at(report, "bytes.after"),
                           {},
                           number_at(report, "bytes.before")};
  for (const std::string name : {"bf16", "w4a8", "pruned"}) {
    values["latency_ratio_" + name] = {before / median(name), {}, before};
    values["accuracy_drop_points_" + name] = {drop(name), {}, 100 * right};
  }
  return values;
}

}  // namespace cupel::pipeline::claims
