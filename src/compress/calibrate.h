// What a classifier's layers are given on calibration texts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "base/run.h"
#include "compress/gptq.h"
#include "nn/classified_rows.h"
#include "nn/encoder_forward.h"

namespace cupel::compress {

/// Second moments of the activations that linear layers multiply, by layer and site.
class Calibration {
 public:
  /// Of the classifier in `folder`, in fp32. `constant`: each row of activations is followed by a
  /// 1, so that least squares can fit a bias. Throws Interrupted when asked to stop.
  Calibration(const std::filesystem::path& folder, const std::vector<nn::ClassifiedRow>& rows,
              const std::vector<nn::EncoderSite>& sites, bool constant, Run& run);

  /// 2 Σ x xᵀ.
  const HessianSum& at(int64_t layer, nn::EncoderSite site) const;

 private:
  std::map<std::pair<int64_t, nn::EncoderSite>, HessianSum> sums_;
};

}  // namespace cupel::compress
