// Trains a small model from the library: settings are a struct, a run is a folder, the report is a
// value. In the root of the repository: build/release/examples/train FOLDER
#include <cupel/cupel.h>

#include <cstdio>
#include <exception>

using namespace cupel;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: train FOLDER\n");
    return 2;
  }
  try {
    train::DatasetConfig arithmetic;
    arithmetic.type = train::DatasetType::arithmetic;
    arithmetic.rows = 2000;
    train::DatasetConfig text;
    text.path = {"data/tinyshakespeare/input.txt.gz"};

    train::Config config;
    config.model = llm::ModelConfig{};  // DeepSeek-V3: latent attention, a mixture of experts
    config.model->hidden_size = 64;
    config.model->num_hidden_layers = 2;
    config.tokenizer.vocab_size = 512;
    config.datasets = {text, arithmetic};
    config.sequence_len = 128;
    config.max_steps = 20;
    config.learning_rate = 2e-3;

    RunOptions options;
    options.folder = argv[1];
    options.config = to_yaml(to_json(config));
    options.seed = 1;
    Run run(options);
    run.subscribe([](const Event& event) {
      if (event.kind == Event::Kind::metric && event.name == "loss")
        std::printf("step %lld: loss %.3f\n", static_cast<long long>(event.step), event.value);
    });

    const train::Report report = train::run(config, {}, run);
    run.finish("train", to_json(report));
    std::printf("%lld parameters, %.0f tokens a second, model in %s/%s\n",
                static_cast<long long>(report.parameters), report.tokens_per_second, argv[1],
                report.model.c_str());
    return report.val_loss.value_or(10) < 6 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
