// What only the program with LibTorch can do: one pointer a heavy verb, null in the light program,
// which then replaces itself by cupel-nn.
#pragma once

#include "base/json.h"
#include "base/run.h"
#include "compress/compress.h"
#include "data/blackbox.h"
#include "nn/conv_net.h"
#include "nn/distributed.h"
#include "pipeline/export_model.h"
#include "pipeline/train_stage.h"

namespace cupel::pipeline {

struct Heavy {
  TrainReport (*train)(const TrainStage& config, Run& run) = nullptr;
  /// A model folder (Hugging Face form) or a checkpoint's model, ready to use.
  LanguageModel (*load_model)(const Path& folder, Run& run) = nullptr;
  /// A classifier's folder, as train leaves it under task: classify.
  TextClassifier (*load_classifier)(const Path& folder, Run& run) = nullptr;
  compress::TorchFunctions compress{};
  nn::ConvNetFunctions conv_net{};
  exporter::Report (*export_model)(const exporter::Config& config, Run& run) = nullptr;
  /// Meets the other processes of the run; their text from rank 0 (nn/distributed_nn.h).
  Peers (*join)(const nn::Ranks& ranks, double timeout_seconds) = nullptr;
  std::string (*from_first)(nn::Group& group, std::string text, const std::string& what) = nullptr;
  /// {"libtorch": version}, for `doctor`.
  json::Value (*libraries)() = nullptr;
};

/// The functions above, filled; defined in compose_nn.cpp.
Heavy heavy_functions();

}  // namespace cupel::pipeline
