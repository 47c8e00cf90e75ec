// A text classifier's weights from and to a folder that transformers reads.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nn/bert_nn.h"

namespace cupel::nn {

/// Fills the classifier from the safetensors of `folder`, under the names of transformers'
/// BertModel
/// ("bert." before them or not) or BertForSequenceClassification; LayerNorm's gamma and beta of old
/// files too. What the pooler or, unless `with_head`, the head lacks in it keeps its values and is
/// named in the result: "pooler", "head". Heads of other tasks are ignored. Throws Error{data} that
/// names a tensor which is missing, unexpected, or of another shape or type; nothing is filled
/// then.
std::vector<std::string> load_classifier_weights(const std::filesystem::path& folder,
                                                 BertClassifier& classifier, bool with_head);

/// A classifier ready to use. Throws Error{config} for a folder without one.
std::shared_ptr<BertClassifier> load_classifier(const std::filesystem::path& folder);

/// Writes model.safetensors (fp32) and config.json into `folder`, which exists.
void save_classifier(const std::filesystem::path& folder, const BertClassifier& classifier,
                     double dropout);

}  // namespace cupel::nn
