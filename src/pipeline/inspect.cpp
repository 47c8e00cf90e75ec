#include "pipeline/inspect.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/text.h"
#include "data/adapter_folder.h"
#include "data/model_path.h"
#include "data/read.h"
#include "data/safetensors.h"
#include "data/tokenizer/gguf_tokenizer.h"
#include "nn/checkpoint.h"
#include "nn/llm/adapter.h"
#include "nn/llm/gguf_model.h"
#include "nn/llm/model_files.h"
#include "pipeline/run_folder.h"

namespace cupel::pipeline::inspect {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kListed = 100, kRowCharacters = 300, kFigures = 200;

int64_t bytes_on_disk(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) return static_cast<int64_t>(fs::file_size(path, ignored));
  int64_t bytes = 0;
  for (auto it = fs::recursive_directory_iterator(path, ignored); it != fs::end(it);
       it.increment(ignored)) {
    if (it->is_regular_file(ignored)) bytes += static_cast<int64_t>(it->file_size(ignored));
  }
  return bytes;
}

/// Counts a tensor of `size` numbers and lists it among the first.
void add_tensor(TensorReport tensor, int64_t size, int64_t listed, WeightsReport& report) {
  ++report.tensors;
  report.parameters += size;
  report.bytes += tensor.bytes;
  report.parameters_by_dtype[tensor.dtype] += size;
  if (report.tensors <= listed) report.first.push_back(std::move(tensor));
}

WeightsReport weights_of(const fs::path& path, int64_t listed) {
  const Safetensors file = Safetensors::open(path);
  WeightsReport report;
  for (const TensorEntry& tensor : file.tensors()) {
    add_tensor(
        {clip(tensor.name, 200), std::string(dtype_name(tensor.dtype)), tensor.shape, tensor.bytes},
        tensor.bytes / dtype_bytes(tensor.dtype), listed, report);
  }
  return report;
}

WeightsReport weights_of(const Gguf& file, int64_t listed) {
  WeightsReport report;
  for (const GgufTensor& tensor : file.contents().tensors) {
    add_tensor({clip(tensor.name, 200), std::string(gguf_block(tensor.type).name), tensor.shape,
                tensor.bytes},
               tensor.count, listed, report);
  }
  return report;
}

TokenizerReport tokenizer_of(const fs::path& path) {
  const Tokenizer tokenizer = load_tokenizer(path);
  TokenizerReport report;
  report.vocab_size = tokenizer.vocab_size();
  const auto name = [&](std::optional<int32_t> id) {
    return id ? clip(tokenizer.token_bytes(*id), 80) : std::string();
  };
  for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    if (tokenizer.is_special(id) && report.special_tokens.size() < kListed)
      report.special_tokens.push_back(name(id));
  }
  report.bos = name(tokenizer.bos_id());
  report.eos = name(tokenizer.eos_id());
  return report;
}

/// "train.step_ms.p50": 12.5, for every number below objects.
void collect_figures(const json::Value& value, const std::string& path,
                     std::map<std::string, double>& figures) {
  if (value.is_number() && figures.size() < kFigures) figures[path] = value.as_double(path);
  if (!value.is_object()) return;
  for (const auto& [key, member] : value.as_object(path)) {
    collect_figures(member, path.empty() ? key : path + "." + key, figures);
  }
}

RunReport run_of(const fs::path& path, std::vector<std::string>& notes) {
  const RunFolder run = read_run_folder(path);
  RunReport report;
  report.status = run.status == RunFolder::Status::finished  ? "finished"
                  : run.status == RunFolder::Status::running ? "running"
                                                             : "stopped";
  report.verbs = run.verbs;
  report.version = text_at(run.manifest, "cupel");
  report.seed = text_at(run.manifest, "seed");
  report.fingerprint = text_at(run.manifest, "fingerprint");
  collect_figures(run.report, "", report.figures);
  for (const nn::CheckpointFolder& checkpoint : nn::list_checkpoints(path)) {
    report.checkpoints.push_back(checkpoint.step);
    const std::string problem = nn::checkpoint_problem(checkpoint.path);
    if (!problem.empty()) notes.push_back(problem);
  }
  for (const auto& [rule, count] : run.rejects) report.rejected += count;
  notes.insert(notes.end(), run.problems.begin(), run.problems.end());
  return report;
}

std::string type_of(const json::Value& value) {
  if (value.is_null()) return "null";
  if (value.is_bool()) return "boolean";
  if (value.is_int()) return "integer";
  if (value.is_number()) return "number";
  if (value.is_string()) return "text";
  return value.is_array() ? "list" : "object";
}

void see_column(std::vector<ColumnReport>& columns, const std::string& name,
                const json::Value& value) {
  auto found = std::find_if(columns.begin(), columns.end(),
                            [&](const ColumnReport& column) { return column.name == name; });
  if (found == columns.end()) {
    if (columns.size() >= kListed) return;
    found = columns.insert(columns.end(), {name, type_of(value), 0});
  }
  ++found->rows;
  const std::string type = type_of(value);
  if (found->type == "null") found->type = type;
  if (type != found->type && type != "null") found->type = "mixed";
}

DataReport data_of(const fs::path& path, const Config& config) {
  DataReport report;
  std::vector<Reject> rejects;
  const auto take = [&](json::Value&& row, int64_t) -> std::optional<RowProblem> {
    for (const auto& [key, member] : row.as_object("row")) see_column(report.columns, key, member);
    if (static_cast<int64_t>(report.first.size()) < config.rows)
      report.first.push_back(clip(json::dump(row), kRowCharacters));
    return std::nullopt;
  };
  const ReadCounts counts = for_each_row(path, {config.split, config.columns}, take, &rejects);
  report.rows = counts.rows;
  report.rejected = counts.rejected;
  for (const Reject& reject : rejects) ++report.rejects_by_rule[reject.rule];
  return report;
}

/// Calls read(), and makes a note of why it could not.
template <class Read>
void if_readable(std::vector<std::string>& notes, const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    notes.push_back(error.what());
  }
}

bool has_weights(const fs::path& folder) {
  return fs::exists(folder / "model.safetensors") ||
         fs::exists(folder / "model.safetensors.index.json");
}

void look_at_model(const fs::path& folder, int64_t listed, Report& report) {
  report.kind = "model";
  if (fs::exists(folder / "config.json")) {
    if_readable(report.notes,
                [&] { report.config = llm::read_model_config(folder / "config.json"); });
  }
  if (has_weights(folder)) {
    if_readable(report.notes, [&] { report.weights = weights_of(folder, listed); });
  }
  if (fs::exists(folder / "tokenizer.json")) {
    if_readable(report.notes, [&] { report.tokenizer = tokenizer_of(folder); });
  }
}

void look_at_adapter(const fs::path& folder, int64_t listed, Report& report) {
  report.kind = "adapter";
  const llm::AdapterConfig adapter = llm::read_adapter_config(folder);
  report.adapter = {"", adapter.rank, adapter.alpha, adapter.dropout, adapter.rank_stabilised};
  if_readable(report.notes, [&] {
    report.adapter->base_model = base_of_adapter(folder).string();
    report.config = llm::model_config_of(folder);
  });
  if_readable(report.notes, [&] { report.weights = weights_of(folder / kAdapterWeights, listed); });
  if_readable(report.notes, [&] { report.tokenizer = tokenizer_of(folder); });
}

void look_at_gguf(const fs::path& path, int64_t listed, Report& report) {
  constexpr std::size_t kMetadata = 1000;
  const Gguf file = Gguf::open(path);
  report.kind = "model";
  report.weights = weights_of(file, listed);
  for (const GgufEntry& entry : file.contents().metadata) {
    if (report.metadata.size() < kMetadata)
      report.metadata.push_back({clip(entry.key, 200), entry.value.shown()});
  }
  if_readable(report.notes, [&] {
    report.config = llm::parse_model_config(json::dump(llm::gguf_config(file)), file.where());
  });
  if_readable(report.notes, [&] { report.tokenizer = tokenizer_of(path); });
}

void look_at_folder(const fs::path& folder, int64_t listed, Report& report) {
  if (fs::exists(folder / "config.yaml") || fs::exists(folder / "report.json")) {
    report.kind = "run";
    report.run = run_of(folder, report.notes);
    return;
  }
  if (is_adapter(folder)) return look_at_adapter(folder, listed, report);
  if (!fs::exists(folder / "config.json") && !has_weights(folder)) {
    fail(ErrorKind::config, folder.string(), "is neither a model nor a run",
         "a model has config.json or model.safetensors, a run config.yaml");
  }
  look_at_model(folder, listed, report);
}

}  // namespace

Report run(const Config& config) {
  if (config.path.empty()) {
    fail(ErrorKind::config, "cupel inspect", "no path is named",
         "give a model, run folder, tokenizer or data file");
  }
  const fs::path path = resolve_model(config.path.text);
  if (path.extension() == ".yaml" && !fs::is_directory(path)) {
    fail(ErrorKind::config, path.string(), "is a recipe, not what a recipe reads or leaves",
         "cupel validate and cupel plan tell of it");
  }
  Report report;
  report.path = path.string();
  report.bytes = bytes_on_disk(path);
  const std::string name = path.filename().string();
  if (fs::is_directory(path)) {
    look_at_folder(path, config.tensors, report);
  } else if (is_gguf(path)) {
    look_at_gguf(path, config.tensors, report);
  } else if (name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json")) {
    report.kind = "weights";
    report.weights = weights_of(path, config.tensors);
  } else if (name == "tokenizer.json") {
    report.kind = "tokenizer";
    report.tokenizer = tokenizer_of(path);
  } else if (name == "config.json") {
    report.kind = "model";
    report.config = llm::read_model_config(path);
  } else {
    report.kind = "data";
    report.data = data_of(path, config);
  }
  return report;
}

}  // namespace cupel::pipeline::inspect
