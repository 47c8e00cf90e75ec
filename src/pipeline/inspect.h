// `inspect PATH`: what a model, a run folder, a tokenizer or a data file holds.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "nn/llm/config.h"

namespace cupel::pipeline::inspect {

struct Config {
  Path path;
  std::string split = {};
  std::vector<std::string> columns = {};
  int64_t rows = 5;
  int64_t tensors = 200;
  static constexpr std::string_view kShorthand = "path";
  static constexpr auto fields() {
    return std::tuple{
        Field{"path", &Config::path,
              "model or adapter (folder, .safetensors, .gguf or org/name in the Hugging Face "
              "cache), run folder, tokenizer or data"},
        Field{"split", &Config::split, "which member of a .json object of splits"},
        Field{"columns", &Config::columns, "names of the fields of rows that are arrays"},
        Field{"rows", &Config::rows, "first rows of a data file to show", 0, 1000},
        Field{"tensors", &Config::tensors, "tensors to list", 0, 1e6}};
  }
};

struct TensorReport {
  std::string name, dtype;
  std::vector<int64_t> shape;
  int64_t bytes = 0;
  static constexpr auto fields() {
    using C = TensorReport;
    return std::tuple{Field{"name", &C::name, "in the file"},
                      Field{"dtype", &C::dtype, "number format"},
                      Field{"shape", &C::shape, "sizes, outermost first"},
                      Field{"bytes", &C::bytes, "in the file"}};
  }
};

struct WeightsReport {
  int64_t tensors = 0, parameters = 0, bytes = 0;
  std::map<std::string, int64_t> parameters_by_dtype;
  std::vector<TensorReport> first;
  static constexpr auto fields() {
    using C = WeightsReport;
    return std::tuple{Field{"tensors", &C::tensors, "how many"},
                      Field{"parameters", &C::parameters, "numbers in all of them"},
                      Field{"bytes", &C::bytes, "of all of them"},
                      Field{"parameters_by_dtype", &C::parameters_by_dtype, "numbers by format"},
                      Field{"first", &C::first, "the first by name"}};
  }
};

/// A low-rank adapter (LoRA).
struct AdapterReport {
  std::string base_model = {};
  int64_t rank = 0;
  double alpha = 0, dropout = 0;
  bool rank_stabilised = false;
  static constexpr auto fields() {
    using C = AdapterReport;
    return std::tuple{
        Field{"base_model", &C::base_model, "where the model lies that it belongs to"},
        Field{"rank", &C::rank, "of its matrices"},
        Field{"alpha", &C::alpha, "it counts alpha / rank times"},
        Field{"dropout", &C::dropout, "of what it read in training"},
        Field{"rank_stabilised", &C::rank_stabilised, "alpha over the root of the rank"}};
  }
};

/// An entry of a GGUF file's metadata.
struct MetadataReport {
  std::string key, value;
  static constexpr auto fields() {
    using C = MetadataReport;
    return std::tuple{Field{"key", &C::key, "in the file"},
                      Field{"value", &C::value, "as text; of an array how many and what"}};
  }
};

struct TokenizerReport {
  int64_t vocab_size = 0;
  std::vector<std::string> special_tokens;
  std::string bos, eos;
  static constexpr auto fields() {
    using C = TokenizerReport;
    return std::tuple{Field{"vocab_size", &C::vocab_size, "one more than the largest id"},
                      Field{"special_tokens", &C::special_tokens, "the first hundred"},
                      Field{"bos", &C::bos, "begins a text"}, Field{"eos", &C::eos, "ends a text"}};
  }
};

struct RunReport {
  std::string status;
  std::vector<std::string> verbs;
  std::string version, seed, fingerprint;
  std::map<std::string, double> figures;
  std::vector<int64_t> checkpoints;
  int64_t rejected = 0;
  static constexpr auto fields() {
    using C = RunReport;
    return std::tuple{Field{"status", &C::status, "finished, running or stopped"},
                      Field{"verbs", &C::verbs, "that have reported"},
                      Field{"version", &C::version, "of cupel"},
                      Field{"seed", &C::seed, "random seed"},
                      Field{"fingerprint", &C::fingerprint, "hash over all repeatable outputs"},
                      Field{"figures", &C::figures, "numbers of the report"},
                      Field{"checkpoints", &C::checkpoints, "steps"},
                      Field{"rejected", &C::rejected, "rows in rejects.jsonl"}};
  }
};

struct ColumnReport {
  std::string name, type;
  int64_t rows = 0;
  static constexpr auto fields() {
    using C = ColumnReport;
    return std::tuple{Field{"name", &C::name, "of the field"},
                      Field{"type", &C::type, "of its values; mixed if they differ"},
                      Field{"rows", &C::rows, "that have it"}};
  }
};

struct DataReport {
  int64_t rows = 0, rejected = 0;
  std::map<std::string, int64_t> rejects_by_rule;
  std::vector<ColumnReport> columns;
  std::vector<std::string> first;
  static constexpr auto fields() {
    using C = DataReport;
    return std::tuple{Field{"rows", &C::rows, "in the file, rejected ones among them"},
                      Field{"rejected", &C::rejected, "rows that cannot be read"},
                      Field{"rejects_by_rule", &C::rejects_by_rule, "rejected rows by reason"},
                      Field{"columns", &C::columns, "fields, at most a hundred"},
                      Field{"first", &C::first, "first rows as JSON, clipped"}};
  }
};

struct Report {
  std::string kind = {}, path = {};
  int64_t bytes = 0;
  std::vector<MetadataReport> metadata = {};
  std::optional<WeightsReport> weights = {};
  std::optional<AdapterReport> adapter = {};
  std::optional<llm::ModelConfig> config = {};
  std::optional<TokenizerReport> tokenizer = {};
  std::optional<RunReport> run = {};
  std::optional<DataReport> data = {};
  std::vector<std::string> notes = {};
  static constexpr auto fields() {
    using C = Report;
    return std::tuple{Field{"kind", &C::kind, "model, adapter, weights, run, tokenizer or data"},
                      Field{"path", &C::path, "as given"},
                      Field{"bytes", &C::bytes, "on disk"},
                      Field{"metadata", &C::metadata, "of a GGUF file, at most a thousand"},
                      Field{"weights", &C::weights, "tensors"},
                      Field{"adapter", &C::adapter, "low-rank adapter of a model"},
                      Field{"config", &C::config, "shape of the model, or of an adapter's base"},
                      Field{"tokenizer", &C::tokenizer, "vocabulary"},
                      Field{"run", &C::run, "what a run has done"},
                      Field{"data", &C::data, "rows of a data file"},
                      Field{"notes", &C::notes, "what could not be read, and why"}};
  }
  /// For a terminal, lines of at most about 100 characters.
  std::string text() const;
};

/// Looks and changes nothing. Memory is bounded by the settings, not by the file. Throws
/// Error{config} for a path that is missing or none of these, Error{data} for a damaged file.
Report run(const Config& config);

}  // namespace cupel::pipeline::inspect
