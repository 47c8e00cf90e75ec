// A text classifier as its folder describes it: a BERT encoder and the names of its classes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "nn/encoder_config.h"

namespace cupel::nn {

/// transformers' BertForSequenceClassification: pooler, dropout, one linear layer.
struct ClassifierConfig {
  EncoderConfig encoder;
  std::vector<std::string> labels;  // by class; empty: not known yet
  double initializer_range = 0.02;
  int64_t pad_token_id = 0;
};

/// The text of a config.json; `labels` from its id2label, of which every class from 0 on must have
/// one. Throws Error{data} as parse_encoder_config does, and for classes that are missing or share
/// a name.
ClassifierConfig parse_classifier_config(std::string_view text, std::string_view where);
/// config.json of `folder`. Throws Error{config} if it is missing.
ClassifierConfig read_classifier_config(const std::filesystem::path& folder);

/// The same of a classifier: throws Error{config} too where it names no classes.
ClassifierConfig read_trained_classifier_config(const std::filesystem::path& folder);

/// Labels of the classification head that a folder's weights have, or nothing where they have none.
std::optional<std::vector<std::string>> head_labels(const std::filesystem::path& folder);
/// Whether config.json of `folder` is that of a classifier; false where there is none.
bool is_classifier(const std::filesystem::path& folder);

/// The text of config.json as transformers reads it. `dropout` is what a pass of training with it
/// would drop of embeddings, branches and pooled output.
json::Value to_hf_json(const ClassifierConfig& config, double dropout);

/// A trained tensor under transformers' name.
struct ClassifierTensor {
  std::string name;
  std::vector<int64_t> shape;
  int64_t size() const;
};
/// All of them, the encoder's layers in order.
std::vector<ClassifierTensor> classifier_tensors(const ClassifierConfig& config);
int64_t parameter_count(const ClassifierConfig& config);

}  // namespace cupel::nn
