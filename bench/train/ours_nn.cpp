// Our side of the train bench: the loop's own pieces (decoder, AdamW, clipping) on random tokens.
// Speaks the protocol of README.md.
#include <dlfcn.h>
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <iostream>
#include <map>

#include "../requests.h"
#include "base/error.h"
#include "base/json.h"
#include "kernels/kernels.h"
#include "nn/llm/decoder_nn.h"
#include "nn/memory_nn.h"
#include "nn/optimizer_nn.h"

namespace cupel {
namespace {

constexpr int64_t kBatches = 16;

/// The functions of count_allocs.c where it is preloaded.
struct AllocationCounter {
  long long (*live)() = reinterpret_cast<long long (*)()>(dlsym(RTLD_DEFAULT, "count_allocs_live"));
  long long (*peak)() = reinterpret_cast<long long (*)()>(dlsym(RTLD_DEFAULT, "count_allocs_peak"));
  void (*reset)() = reinterpret_cast<void (*)()>(dlsym(RTLD_DEFAULT, "count_allocs_reset"));
};

struct Options {
  std::map<std::string, std::string> values;
  bool memory_mode = false;

  Options(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      if (word == "--memory-mode") {
        memory_mode = true;
      } else if (i + 1 < argc) {
        values[word] = argv[++i];
      }
    }
  }
  std::string text(const std::string& name) const { return values.at("--" + name); }
  int64_t number(const std::string& name) const { return std::stoll(text(name)); }
};

class Trainer {
 public:
  explicit Trainer(const Options& options)
      : live_before_(counter_.live != nullptr ? counter_.live() : 0),
        decoder_(llm::read_model_config(options.text("config"))),
        optimizer_((decoder_.initialise(Run({.seed = 0, .threads = 1})), decoder_), config_) {
    loss_options_.storage = options.text("precision") == "bf16" ? at::kBFloat16 : at::kFloat;
    loss_options_.recompute = options.memory_mode;
    const int64_t rows = options.number("batch"), length = options.number("length");
    Rng rng(1, "bench tokens");
    const at::Tensor ids = at::empty({kBatches, rows, length}, at::kLong);
    for (int64_t i = 0; i < ids.numel(); ++i)
      ids.mutable_data_ptr<int64_t>()[i] =
          static_cast<int64_t>(rng.below(static_cast<uint64_t>(decoder_.config().vocab_size)));
    for (int64_t i = 0; i < kBatches; ++i) {
      nn::Batch batch;
      batch.inputs = ids[i];
      batch.labels = at::full_like(ids[i], -100);
      batch.labels.narrow(1, 0, length - 1).copy_(ids[i].narrow(1, 1, length - 1));
      batch.weight = static_cast<double>(rows * (length - 1));
      batches_.push_back(batch);
    }
    tokens_ = rows * length;
  }

  double step() {
    const nn::Batch& batch = batches_[static_cast<std::size_t>(count_++ % kBatches)];
    for (llm::Experts* layer : decoder_.expert_layers()) layer->begin_step();
    optimizer_.zero_grad();
    const at::Tensor loss = decoder_.loss(batch, loss_options_);
    (loss / batch.weight).backward();
    const double norm = std::sqrt(optimizer_.gradient_sum_of_squares());
    optimizer_.step(1e-3, static_cast<float>(std::min(1.0, 1.0 / (norm + 1e-6))));
    return loss.item<double>() / batch.weight;
  }

  json::Value round(int64_t steps) {
    const auto begin = std::chrono::steady_clock::now();
    double loss = 0;
    for (int64_t i = 0; i < steps; ++i) loss = step();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    return json::Object{
        {"seconds", took.count()}, {"steps", steps}, {"tokens", steps * tokens_}, {"loss", loss}};
  }

  json::Value memory() {
    if (counter_.live == nullptr)
      fail(ErrorKind::config, "memory", "needs count_allocs.c preloaded (LD_PRELOAD)");
    step();  // moments and gradients exist from here on
    counter_.reset();
    step();
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const int64_t weights = 4 * llm::parameter_count(decoder_.config());
    return json::Object{{"peak_above_weights_bytes",
                         static_cast<int64_t>(counter_.peak()) - live_before_ - weights},
                        {"weight_bytes", weights},
                        {"rss_bytes", static_cast<int64_t>(usage.ru_maxrss) * 1024}};
  }

  json::Value hello(const Options& options) const {
    return json::Object{{"version", "cupel"},
                        {"parameters", llm::parameter_count(decoder_.config())},
                        {"threads", at::get_num_threads()},
                        {"precision", options.text("precision")},
                        {"isa_row", kernels().name}};
  }

 private:
  AllocationCounter counter_;
  int64_t live_before_;
  nn::FitConfig config_;
  llm::Decoder decoder_;
  nn::AdamW optimizer_;
  llm::LossOptions loss_options_;
  std::vector<nn::Batch> batches_;
  int64_t tokens_ = 0, count_ = 0;
};

int serve(int argc, char** argv) {
  const Options options(argc, argv);
  nn::keep_freed_memory();
  at::set_num_threads(static_cast<int>(options.number("threads")));
  Trainer trainer(options);
  answer_requests(trainer.hello(options), [&](const std::string& word, int64_t steps) {
    if (word != "round" && word != "memory")
      fail(ErrorKind::config, word, "unknown request", "known: round STEPS, memory");
    return word == "round" ? trainer.round(steps) : trainer.memory();
  });
  return 0;
}

}  // namespace
}  // namespace cupel

int main(int argc, char** argv) {
  try {
    return cupel::serve(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
