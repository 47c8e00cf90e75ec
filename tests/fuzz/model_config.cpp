// The text of a config.json: what is accepted must count its parameters, turn by finite angles and
// survive being written again.
#include <cmath>

#include "fuzz/survive.h"
#include "nn/llm/config.h"
#include "nn/llm/rope.h"

namespace cupel::llm {

void check(std::string_view text) {
  constexpr int64_t kFew = 64;  // layers and pairs, so that an execution stays short
  const ModelConfig config = parse_model_config(text, "fuzz/config.json");
  const std::string written = json::dump(to_hf_json(config));
  fuzz::require(json::dump(to_hf_json(parse_model_config(written, "again"))) == written);
  if (config.num_hidden_layers <= kFew) {
    fuzz::require(parameter_count(config) >= active_parameter_count(config));
    fuzz::require(active_parameter_count(config) > 0);
  }
  if (config.rotary_width() > kFew) return;
  for (const double frequency : rotary_frequencies(config))
    fuzz::require(std::isfinite(frequency) && frequency >= 0 && frequency <= 1);
  fuzz::require(std::isfinite(rotary_factor(config)) && attention_scale(config) > 0);
}

}  // namespace cupel::llm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  cupel::fuzz::survive([&] { cupel::llm::check(text); });
  return 0;
}
