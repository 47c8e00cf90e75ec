// The one place where LibTorch's half meets the pipeline.
#include "nn/device_nn.h"
#include "nn/llm/generate_nn.h"
#include "pipeline/heavy.h"

namespace cupel::pipeline {

Heavy heavy_functions() {
  Heavy heavy;
  heavy.train = [](const train::Config& config, Run& run) { return train::run(config, {}, run); };
  heavy.load_model = [](const Path& folder, Run& run) {
    nn::use_threads(run.threads());
    run.record_input(folder.text);
    return llm::load_language_model(folder.text);
  };
  heavy.libraries = [] { return json::Value(json::Object{{"libtorch", nn::libtorch_version()}}); };
  return heavy;
}

}  // namespace cupel::pipeline
