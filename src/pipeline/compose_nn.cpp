// The one place where LibTorch's half meets the pipeline.
#include "augment/embeddings.h"
#include "compress/torch_functions_nn.h"
#include "data/adapter_folder.h"
#include "nn/device_nn.h"
#include "nn/distributed_nn.h"
#include "nn/llm/generate_nn.h"
#include "nn/llm/language_model.h"
#include "nn/llm/model_files.h"
#include "nn/llm/stored_format.h"
#include "nn/text_classifier.h"
#include "pipeline/heavy.h"

namespace cupel::pipeline {
namespace {

TrainReport train_with_hooks(const TrainStage& config, Run& run) {
  if (!config.augment) return {train::run(config, {}, run), {}};
  const augment::EmbeddingConfig& augment = *config.augment;
  augment::EmbeddingWork work;
  TrainReport report{train::run(config, augment::embedding_hooks(augment, run, work), run), {}};
  const int64_t steps = work.micro_batches / config.gradient_accumulation_steps;
  report.augment = {augment.method, augment.epsilon, augment.resolved_steps(),
                    steps > 0 ? work.extra_ms / static_cast<double>(steps) : 0};
  return report;
}

}  // namespace

Heavy heavy_functions() {
  Heavy heavy;
  heavy.train = &train_with_hooks;
  heavy.load_model = [](const Path& folder, Run& run) {
    nn::use_threads(run.threads());
    llm::record_model(folder.text, run);
    if (is_adapter(folder.text)) return llm::load_adapted_model(folder.text);
    return llm::load_language_model(folder.text, llm::stored_format(folder.text), run.pool());
  };
  heavy.load_classifier = [](const Path& folder, Run& run) {
    nn::use_threads(run.threads());
    run.record_input(folder.text);
    return nn::text_classifier(folder.text, run.pool());
  };
  heavy.compress = compress::torch_functions();
  heavy.conv_net = {&nn::fit_conv_net, &nn::conv_net_logits};
  heavy.export_model = &exporter::run;
  heavy.join = &nn::join;
  heavy.from_first = [](nn::Group& group, std::string text, const std::string& what) {
    return group.from_first(std::move(text), what);
  };
  heavy.libraries = [] { return json::Value(json::Object{{"libtorch", nn::libtorch_version()}}); };
  return heavy;
}

}  // namespace cupel::pipeline
