#include "nn/llm/model_files.h"

#include "base/error.h"
#include "data/adapter_folder.h"
#include "nn/llm/gguf_model.h"

namespace cupel::llm {

ModelConfig model_config_of(const std::filesystem::path& model) {
  if (is_adapter(model)) return model_config_of(base_of_adapter(model));
  if (!is_gguf(model)) return read_model_config(model / "config.json");
  const Gguf file = Gguf::open(model);
  return parse_model_config(json::dump(gguf_config(file)), file.where());
}

TensorSource tensors_of(const std::filesystem::path& model, const ModelConfig& config) {
  if (!is_gguf(model)) return safetensors_source(model);
  return gguf_source(std::make_shared<const Gguf>(Gguf::open(model)), config);
}

void require_vocabulary(const std::filesystem::path& model, const Tokenizer& tokenizer,
                        const ModelConfig& config) {
  if (tokenizer.vocab_size() <= config.vocab_size) return;
  fail(ErrorKind::data, model.string(),
       "tokenizer.json has " + std::to_string(tokenizer.vocab_size()) +
           " tokens, config.json a vocab_size of " + std::to_string(config.vocab_size),
       "fetch both from one place");
}

void record_model(const std::filesystem::path& model, Run& run) {
  run.record_input(model);
  if (is_adapter(model)) run.record_input(base_of_adapter(model));
}

}  // namespace cupel::llm
