// Our side of the decode bench: tokens of a language model. Speaks the protocol of README.md.
#include <algorithm>

#include "../requests.h"
#include "base/error.h"
#include "kernels/kernels.h"
#include "nn/llm/decoder_forward.h"
#include "nn/llm/model_files.h"
#include "nn/llm/stored_format.h"
#include "nn/llm/tensor_source.h"

namespace cupel {
namespace {

void serve(const Options& options) {
  const std::filesystem::path path = options.at("--model");
  const auto context = static_cast<std::size_t>(std::stoll(options.at("--context")));
  ThreadPool pool(std::stoi(options.at("--threads")));
  const llm::ModelConfig config = llm::model_config_of(path);
  const llm::DecoderWeights weights = llm::take_decoder_weights(
      llm::tensors_of(path, config), config, llm::stored_format(path), pool, path.string());
  llm::DecoderForward forward(config, weights, pool);
  std::vector<int32_t> prompt(context);
  for (std::size_t i = 0; i < context; ++i)
    prompt[i] = static_cast<int32_t>(static_cast<int64_t>(i) * 37 % config.vocab_size);
  std::vector<float> logits(static_cast<std::size_t>(config.vocab_size));
  llm::KeyValueCache cache;
  const auto extend = [&](std::span<const int32_t> ids) {
    const llm::Continuation next{&cache, ids};
    forward.extend({&next, 1});
    const int64_t last = static_cast<int64_t>(ids.size()) - 1;
    forward.logits({&last, 1}, logits.data());
    return static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin());
  };
  const bool decodes = options.at("--phase") == "decode";
  if (decodes) extend(prompt);
  const json::Object hello{{"version", "cupel"}, {"isa_row", kernels().name}};
  answer_requests(hello, [&](const std::string& word, int64_t steps) -> json::Value {
    if (word != "round") fail(ErrorKind::config, word, "unknown request", "known: round STEPS");
    int32_t token = 1;
    cache.truncate(decodes ? static_cast<int64_t>(context) : 0);
    const double seconds = seconds_of(steps, [&] {
      if (decodes) {
        token = extend({&token, 1});
      } else {
        cache.truncate(0);
        extend(prompt);
      }
    });
    return json::Object{{"seconds", seconds},
                        {"tokens", decodes ? steps : steps * static_cast<int64_t>(context)},
                        {"last", token}};
  });
}

}  // namespace
}  // namespace cupel

int main(int argc, char** argv) { return cupel::run_program(argc, argv, cupel::serve); }
