#include "nn/llm/model_files.h"

#include "nn/llm/gguf_model.h"

namespace cupel::llm {

ModelConfig model_config_of(const std::filesystem::path& model) {
  if (!is_gguf(model)) return read_model_config(model / "config.json");
  const Gguf file = Gguf::open(model);
  return parse_model_config(json::dump(gguf_config(file)), file.where());
}

TensorSource tensors_of(const std::filesystem::path& model, const ModelConfig& config) {
  if (!is_gguf(model)) return safetensors_source(model);
  return gguf_source(std::make_shared<const Gguf>(Gguf::open(model)), config);
}

}  // namespace cupel::llm
