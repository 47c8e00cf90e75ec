// The steps of compression on a whole classifier: channels go, weights become codes.
#pragma once

#include <vector>

#include "base/run.h"
#include "compress/compress.h"
#include "nn/classified_rows.h"
#include "nn/classifier_model.h"

namespace cupel::compress {

/// The classifier of `folder` with `keep` channels left in every feed-forward layer, by what `rows`
/// make them do; `layers` gets a row a layer.
nn::ClassifierModel prune_classifier(const std::filesystem::path& folder,
                                     const std::vector<nn::ClassifiedRow>& rows, int64_t keep,
                                     Importance importance, std::vector<LayerReport>& layers,
                                     Run& run);

/// 4-bit codes of the linear layers of the classifier in `folder`. `nearest`: each weight's nearest
/// code, as quantisation-aware training saw them; else GPTQ on what `rows` make the layers see.
nn::CodedWeights encode_classifier(const std::filesystem::path& folder,
                                   const nn::ClassifierModel& model,
                                   const std::vector<nn::ClassifiedRow>& rows, int64_t group_size,
                                   bool nearest, Run& run);

}  // namespace cupel::compress
