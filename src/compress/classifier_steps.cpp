#include "compress/classifier_steps.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/error.h"
#include "compress/calibrate.h"
#include "compress/gptq.h"
#include "data/cb4.h"

namespace cupel::compress {
namespace {

// Of least squares, in shares of the mean square of a channel.
constexpr double kDamping = 1e-3;

/// Both triangles of Σ x xᵀ.
std::vector<double> whole(const HessianSum& sum) {
  const View<const double> upper = sum.upper();
  std::vector<double> result(static_cast<std::size_t>(upper.rows * upper.cols));
  for (int64_t i = 0; i < upper.rows; ++i)
    for (int64_t j = i; j < upper.cols; ++j)
      result[static_cast<std::size_t>(i * upper.cols + j)] =
          result[static_cast<std::size_t>(j * upper.cols + i)] = upper(i, j) / 2;
  return result;
}

/// Rows `kept` of a matrix with `cols` columns.
std::vector<float> rows_of(const std::vector<float>& from, const std::vector<int64_t>& kept,
                           int64_t cols) {
  std::vector<float> result;
  for (const int64_t row : kept) {
    const auto begin = from.begin() + row * cols;
    result.insert(result.end(), begin, begin + cols);
  }
  return result;
}

double prune_layer(nn::ClassifierModel& model, int64_t layer, const HessianSum& sum, int64_t keep,
                   Importance importance, ThreadPool& pool) {
  const int64_t width = model.config.encoder.hidden_size;
  const std::vector<double> moments = whole(sum);
  const int64_t n = sum.upper().rows - 1;
  const std::vector<std::string> names = nn::linear_names(layer);
  const std::string &up = names[4], &down = names[5];
  const ChannelGroup group{{model.at(down + ".weight").data(), width, n, n},
                           {moments.data(), n + 1, n + 1, n + 1}};
  const PrunedChannels pruned = prune_channels(group, keep, importance, kDamping, pool);
  model.at(up + ".weight") = rows_of(model.at(up + ".weight"), pruned.kept, width);
  model.at(up + ".bias") = rows_of(model.at(up + ".bias"), pruned.kept, 1);
  model.at(down + ".weight") = pruned.down;
  std::vector<float>& bias = model.at(down + ".bias");
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] += pruned.bias[i];
  return pruned.error;
}

nn::EncoderSite site_of(std::size_t linear) {
  constexpr std::array kSites{nn::EncoderSite::query_key_value,
                              nn::EncoderSite::query_key_value,
                              nn::EncoderSite::query_key_value,
                              nn::EncoderSite::attention_out,
                              nn::EncoderSite::up,
                              nn::EncoderSite::down};
  return kSites[linear];
}

}  // namespace

nn::ClassifierModel prune_classifier(const std::filesystem::path& folder,
                                     const std::vector<nn::ClassifiedRow>& rows, int64_t keep,
                                     Importance importance, std::vector<LayerReport>& layers,
                                     Run& run) {
  const auto section = run.section("prune");
  nn::ClassifierModel model = nn::read_classifier_model(folder);
  const int64_t count = model.config.encoder.num_hidden_layers;
  const int64_t channels = model.config.encoder.intermediate_size;
  const Calibration calibration(folder, rows, {nn::EncoderSite::down}, true, run);
  for (int64_t layer = 0; layer < count; ++layer) {
    run.stop_if_asked();
    const double error = prune_layer(model, layer, calibration.at(layer, nn::EncoderSite::down),
                                     keep, importance, run.pool());
    layers.push_back({layer, channels, keep, error});
    run.progress(layer + 1, count, "layers pruned");
  }
  model.config.encoder.intermediate_size = keep;
  return model;
}

nn::CodedWeights encode_classifier(const std::filesystem::path& folder,
                                   const nn::ClassifierModel& model,
                                   const std::vector<nn::ClassifiedRow>& rows, int64_t group_size,
                                   bool nearest, Run& run) {
  const auto section = run.section("quantize");
  using enum nn::EncoderSite;
  std::optional<Calibration> calibration;
  if (!nearest)
    calibration.emplace(folder, rows, std::vector{query_key_value, attention_out, up, down}, false,
                        run);
  nn::CodedWeights codes;
  const int64_t count = model.config.encoder.num_hidden_layers;
  for (int64_t layer = 0; layer < count; ++layer) {
    const std::vector<std::string> names = nn::linear_names(layer);
    for (std::size_t i = 0; i < names.size(); ++i) {
      run.stop_if_asked();
      const std::string name = names[i] + ".weight";
      const auto out = static_cast<int64_t>(model.at(names[i] + ".bias").size());
      const int64_t in = static_cast<int64_t>(model.at(name).size()) / out;
      const View<const float> weight{model.at(name).data(), out, in, in};
      std::vector<std::byte>& blocks = codes[name];
      blocks.resize(static_cast<std::size_t>(out * cb4::row_bytes(in)));
      const std::string where = folder.string() + ": " + name;
      if (nearest) {
        cb4::quantise(weight, {}, group_size, blocks.data(), run.pool(), where);
      } else {
        gptq(weight, calibration->at(layer, site_of(i)).upper(), {.group = group_size},
             blocks.data(), run.pool(), where);
      }
    }
    run.progress(layer + 1, count, "layers in codes");
  }
  return codes;
}

}  // namespace cupel::compress
