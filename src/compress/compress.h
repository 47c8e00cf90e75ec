// `compress`: a text classifier made narrower by structured pruning and stored in 4-bit codes for
// 8-bit activations, brought back by distillation, and measured at every step; or a language model
// in such codes.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/run.h"
#include "compress/prune.h"
#include "compress/recover.h"

namespace cupel::compress {

/// Texts and their classes; a language model reads the texts alone.
struct DataConfig {
  Path path;
  std::string text_field = "text";
  std::string label_field = "label";
  std::string split = {};
  std::vector<std::string> columns = {};
  std::optional<int64_t> rows;
  static constexpr auto fields() {
    using C = DataConfig;
    return std::tuple{Field{"path", &C::path, "file of texts and their classes"},
                      Field{"text_field", &C::text_field, "field of the text"},
                      Field{"label_field", &C::label_field, "field of its class"},
                      Field{"split", &C::split, "which member of a .json object of splits"},
                      Field{"columns", &C::columns, "names of the fields of rows that are arrays"},
                      Field{"rows", &C::rows, "take the first so many; default: all", 1, 1e9}};
  }
};

struct PruneConfig {
  double prune_ratio = 0.4;
  Importance importance = Importance::obs;
  int64_t rounds = 2;
  static constexpr auto fields() {
    using C = PruneConfig;
    return std::tuple{
        Field{"prune_ratio", &C::prune_ratio,
              "share of the feed-forward channels that goes, in every layer", 0.01, 0.95},
        Field{"importance", &C::importance,
              "which go: obs = those that the others make up for best; activation; magnitude"},
        Field{"rounds", &C::rounds, "in how many steps, each followed by its share of the recovery",
              1, 16}};
  }
};

struct QuantizeConfig {
  int64_t group_size = 32;
  static constexpr auto fields() {
    using C = QuantizeConfig;
    return std::tuple{Field{"group_size", &C::group_size,
                            "weights of a row that share a scale: 32, 64, 128, 256 or 512", 32,
                            512}};
  }
};

struct MeasureConfig {
  DataConfig data;
  int64_t runs = 200;
  static constexpr auto fields() {
    using C = MeasureConfig;
    return std::tuple{
        Field{"data", &C::data, "texts that nothing else has seen"},
        Field{"runs", &C::runs,
              "texts, of a language model windows, whose latency is measured, one at a time", 1,
              1e6}};
  }
};

struct Config {
  ModelPath model;
  std::optional<DataConfig> calibration;
  std::optional<PruneConfig> prune;
  std::optional<QuantizeConfig> quantize;
  std::optional<RecoverConfig> recover;
  std::optional<MeasureConfig> measure;
  std::vector<DataConfig> datasets;
  static constexpr auto fields() {
    using C = Config;
    return std::tuple{
        Field{"model", &C::model,
              "folder of a classifier, as train leaves it; or a language model: folder, .gguf "
              "file, or org/name in the Hugging Face cache"},
        Field{"datasets", &C::datasets, "what recovery learns from: the training data"},
        Field{"calibration", &C::calibration,
              "texts whose activations decide what goes and how weights are rounded; default: the "
              "first 512 rows of datasets"},
        Field{"prune", &C::prune, "structured pruning; left out: none"},
        Field{"recover", &C::recover, "distillation after pruning; left out: none"},
        Field{"quantize", &C::quantize, "4-bit weights, 8-bit activations; left out: neither"},
        Field{"measure", &C::measure,
              "accuracy and latency of every step; left out: not measured"}};
  }
  std::vector<std::string> problems() const;
};

/// One feed-forward layer's pruning.
struct LayerReport {
  int64_t layer = 0, channels_before = 0, channels_after = 0;
  double error = 0;
  static constexpr auto fields() {
    using C = LayerReport;
    return std::tuple{
        Field{"layer", &C::layer, "from 0"},
        Field{"channels_before", &C::channels_before, "of the feed-forward layer"},
        Field{"channels_after", &C::channels_after, "that stay"},
        Field{"error", &C::error, "of the layer's output after least squares, over its variance"}};
  }
};

struct RoundReport {
  int64_t round = 0, steps = 0;
  std::optional<double> train_loss;
  std::vector<LayerReport> layers;
  static constexpr auto fields() {
    using C = RoundReport;
    return std::tuple{
        Field{"round", &C::round, "from 1"},
        Field{"layers", &C::layers, "what went where, and what it cost"},
        Field{"steps", &C::steps, "of recovery"},
        Field{"train_loss", &C::train_loss, "at its end, a text; null without recovery"}};
  }
};

struct Change {
  int64_t before = 0, after = 0;
  static constexpr auto fields() {
    return std::tuple{Field{"before", &Change::before, "of the model given"},
                      Field{"after", &Change::after, "of the model left"}};
  }
};

/// Milliseconds of a text alone.
struct Latency {
  double p50 = 0, p95 = 0;
  static constexpr auto fields() {
    return std::tuple{Field{"p50", &Latency::p50, "median"},
                      Field{"p95", &Latency::p95, "95th percentile"}};
  }
};

/// A step of a language model's chain, against the first one on the same tokens.
struct LanguageReport {
  std::string name;
  int64_t tokens = 0;
  double perplexity = 0, kl_divergence = 0;
  std::array<double, 2> kl_interval{};
  double top1_agreement = 0, prefill_tokens_per_second = 0;
  std::optional<double> decode_tokens_per_second;
  static constexpr auto fields() {
    using C = LanguageReport;
    return std::tuple{
        Field{"name", &C::name, "fp32; w4: the codes with exact activations; w4a8"},
        Field{"tokens", &C::tokens, "weighed"},
        Field{"perplexity", &C::perplexity, "of a token"},
        Field{"kl_divergence", &C::kl_divergence,
              "of its next-token chances from those of the model given, nats a token"},
        Field{"kl_interval", &C::kl_interval, "95 %, percentile bootstrap over windows"},
        Field{"top1_agreement", &C::top1_agreement,
              "share of tokens after which both find the same one most likely"},
        Field{"prefill_tokens_per_second", &C::prefill_tokens_per_second,
              "a window at once, median"},
        Field{"decode_tokens_per_second", &C::decode_tokens_per_second,
              "one token at a time behind a window, median; null where none fits"}};
  }
};

struct Report {
  std::string model;
  Change parameters, bytes;
  double pruned_share = 0;
  std::vector<std::string> steps;
  std::map<std::string, Latency> latency_ms;
  std::map<std::string, double> accuracy;
  std::map<std::string, std::array<double, 2>> accuracy_interval;
  std::optional<double> accuracy_drop_points, latency_ratio;
  std::vector<RoundReport> rounds;
  std::vector<LanguageReport> language;
  std::optional<double> output_error;
  static constexpr auto fields() {
    using C = Report;
    return std::tuple{
        Field{"model", &C::model, "the compressed model, relative to the run"},
        Field{"parameters", &C::parameters, "weights"},
        Field{"bytes", &C::bytes, "of the files of weights"},
        Field{"pruned_share", &C::pruned_share, "of the feed-forward channels"},
        Field{"rounds", &C::rounds, "of pruning and recovery"},
        Field{"steps", &C::steps,
              "the chain in its order, as far as it was measured: fp32, bf16, w4a8, pruned, "
              "pruned_w4a8"},
        Field{
            "latency_ms", &C::latency_ms,
            "of each step, milliseconds a text, from token ids; fp32_eager: of the model given by "
            "PyTorch's eager operators, timed between the steps"},
        Field{"accuracy", &C::accuracy, "of each step, share of right answers"},
        Field{"accuracy_interval", &C::accuracy_interval, "95 %, Wilson's"},
        Field{"accuracy_drop_points", &C::accuracy_drop_points,
              "accuracy of the model given minus that of the model left, in points"},
        Field{"latency_ratio", &C::latency_ratio,
              "median latency of the model given, the faster of ours in fp32 and PyTorch's, over "
              "that of the model left"},
        Field{"language", &C::language, "the chain of a language model, measured"},
        Field{"output_error", &C::output_error,
              "of a language model's coded layers on the calibration texts, over their size"}};
  }
  /// The chain as a table.
  std::string details() const;
};

/// The scores that a classifier gives one text's ids.
using TextScores = std::function<std::vector<float>(const std::vector<int32_t>& ids)>;

/// What needs LibTorch; torch_functions() has them (compress/torch_functions_nn.h).
struct TorchFunctions {
  Recover recover;  // called if the settings ask for recovery
  /// A classifier's folder in fp32 by PyTorch's eager operators, to be timed; empty: it is not.
  std::function<TextScores(const std::filesystem::path& folder, int threads)> eager_classifier;
};

/// Writes model/: the compressed classifier, and round-<n>/ with what led to it; or model.gguf: the
/// language model. Throws Error{config} for what is neither, Error{data} for data without rows of
/// its classes; Interrupted when asked to stop.
Report run(const Config& config, const TorchFunctions& torch, Run& run);

}  // namespace cupel::compress
