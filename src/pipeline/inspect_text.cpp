#include <fmt/format.h>

#include "base/text.h"
#include "pipeline/html.h"
#include "pipeline/inspect.h"

namespace cupel::pipeline::inspect {
namespace {

constexpr std::size_t kLine = 100;

std::string line(std::string_view label, std::string_view value) {
  return fmt::format("  {:<14}{}\n", label, clip(value, kLine));
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out.empty() ? "none" : out;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string out;
  for (const int64_t size : shape) out += (out.empty() ? "" : " x ") + std::to_string(size);
  return out.empty() ? "scalar" : out;
}

std::string count(int64_t value) { return html::number(static_cast<double>(value)); }

std::string text_of(const llm::ModelConfig& config) {
  std::string out = "config\n" + line("family", config.family) +
                    line("layers", count(config.num_hidden_layers)) +
                    line("hidden size", count(config.hidden_size)) +
                    line("heads", count(config.num_attention_heads)) +
                    line("vocabulary", count(config.vocab_size)) +
                    line("positions", count(config.max_position_embeddings));
  if (config.vocab_size > 0) {
    out += line("parameters", fmt::format("{}, {} active a token", count(parameter_count(config)),
                                          count(active_parameter_count(config))));
  }
  return out;
}

std::string text_of(const AdapterReport& adapter) {
  return "adapter\n" +
         line("base model", adapter.base_model.empty() ? "not there" : adapter.base_model) +
         line("rank", count(adapter.rank)) +
         line("alpha", shortest(adapter.alpha) +
                           (adapter.rank_stabilised ? ", over the root of the rank" : ""));
}

std::string text_of(const WeightsReport& weights) {
  std::string dtypes;
  for (const auto& [name, size] : weights.parameters_by_dtype)
    dtypes += (dtypes.empty() ? "" : ", ") + name + " " + count(size);
  std::string out = "weights\n" + line("tensors", count(weights.tensors)) +
                    line("parameters", count(weights.parameters)) + line("formats", dtypes) +
                    line("size", html::byte_size(static_cast<double>(weights.bytes)));
  for (const TensorReport& tensor : weights.first) {
    out += fmt::format("  {:<58} {:<5} {}\n", clip(tensor.name, 58), tensor.dtype,
                       shape_text(tensor.shape));
  }
  const int64_t more = weights.tensors - static_cast<int64_t>(weights.first.size());
  return more > 0 ? out + fmt::format("  … and {} more\n", count(more)) : out;
}

std::string text_of(const std::vector<MetadataReport>& metadata) {
  std::string out = "metadata\n";
  for (const MetadataReport& entry : metadata)
    out += fmt::format("  {:<44} {}\n", clip(entry.key, 44), clip(entry.value, 80));
  return out;
}

std::string text_of(const TokenizerReport& tokenizer) {
  return "tokenizer\n" + line("vocabulary", count(tokenizer.vocab_size)) +
         line("begins with", tokenizer.bos.empty() ? "none" : tokenizer.bos) +
         line("ends with", tokenizer.eos.empty() ? "none" : tokenizer.eos) +
         line("special", joined(tokenizer.special_tokens));
}

std::string text_of(const RunReport& run) {
  std::vector<std::string> checkpoints;
  for (const int64_t step : run.checkpoints) checkpoints.push_back("step " + std::to_string(step));
  std::string out = "run\n" + line("status", run.status) + line("verbs", joined(run.verbs)) +
                    line("version", run.version) + line("random seed", run.seed) +
                    line("checkpoints", joined(checkpoints)) +
                    line("rejected rows", count(run.rejected)) +
                    line("fingerprint", run.fingerprint.empty() ? "none" : run.fingerprint);
  for (const auto& [name, value] : run.figures)
    out += fmt::format("  {:<44} {}\n", clip(name, 44), html::number(value));
  return out;
}

std::string text_of(const DataReport& data) {
  std::string out =
      "data\n" + line("rows", count(data.rows)) + line("rejected", count(data.rejected));
  for (const auto& [rule, rows] : data.rejects_by_rule)
    out += fmt::format("    {:<28} {}\n", clip(rule, 28), count(rows));
  for (const ColumnReport& column : data.columns) {
    out += fmt::format("  {:<30} {:<8} in {} rows\n", clip(column.name, 30), column.type,
                       count(column.rows));
  }
  for (const std::string& row : data.first) out += "  " + clip(row, kLine) + "\n";
  return out;
}

}  // namespace

std::string Report::text() const {
  std::string out =
      clip(path, 400) + ": " + kind + ", " + html::byte_size(static_cast<double>(bytes)) + "\n";
  if (run) out += text_of(*run);
  if (adapter) out += text_of(*adapter);
  if (config) out += text_of(*config);
  if (!metadata.empty()) out += text_of(metadata);
  if (weights) out += text_of(*weights);
  if (tokenizer) out += text_of(*tokenizer);
  if (data) out += text_of(*data);
  for (const std::string& note : notes) out += "note: " + clip(note, 400) + "\n";
  return out;
}

}  // namespace cupel::pipeline::inspect
