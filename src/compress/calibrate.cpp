#include "compress/calibrate.h"

#include <algorithm>

#include "base/error.h"
#include "data/safetensors.h"
#include "nn/classifier_config.h"
#include "nn/encoder_weights.h"

namespace cupel::compress {
namespace {

constexpr std::size_t kTextsTogether = 8;

int64_t width_of(const nn::EncoderConfig& config, nn::EncoderSite site) {
  return site == nn::EncoderSite::down ? config.intermediate_size : config.hidden_size;
}

}  // namespace

Calibration::Calibration(const std::filesystem::path& folder,
                         const std::vector<nn::ClassifiedRow>& rows,
                         const std::vector<nn::EncoderSite>& sites, bool constant, Run& run) {
  const nn::EncoderConfig config = nn::read_classifier_config(folder).encoder;
  const nn::EncoderWeights weights =
      nn::take_encoder_weights(Safetensors::open(folder), config, {}, folder.string());
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer)
    for (const nn::EncoderSite site : sites)
      sums_.emplace(std::pair(layer, site), width_of(config, site) + (constant ? 1 : 0));
  std::vector<float> extended;
  nn::EncoderForward pass(config, weights);
  pass.watch([&](int64_t layer, nn::EncoderSite site, const float* x, int64_t count) {
    const auto found = sums_.find({layer, site});
    if (found == sums_.end()) return;
    const int64_t width = width_of(config, site);
    if (!constant) return found->second.add({x, count, width, width}, run.pool());
    extended.assign(static_cast<std::size_t>(count * (width + 1)), 1.0f);
    for (int64_t i = 0; i < count; ++i)
      std::copy_n(x + i * width, width, extended.data() + i * (width + 1));
    found->second.add({extended.data(), count, width + 1, width + 1}, run.pool());
  });
  for (std::size_t begin = 0; begin < rows.size(); begin += kTextsTogether) {
    run.stop_if_asked();
    std::vector<const std::vector<int32_t>*> texts;
    for (std::size_t i = begin; i < std::min(rows.size(), begin + kTextsTogether); ++i)
      texts.push_back(&rows[i].ids);
    pass.run(texts);
    run.progress(static_cast<int64_t>(begin + texts.size()), static_cast<int64_t>(rows.size()),
                 "calibration");
  }
}

const HessianSum& Calibration::at(int64_t layer, nn::EncoderSite site) const {
  return sums_.at({layer, site});
}

}  // namespace cupel::compress
