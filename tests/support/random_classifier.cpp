#include "support/random_classifier.h"

#include <vector>

#include "base/atomic_file.h"
#include "base/rng.h"
#include "data/safetensors.h"
#include "nn/classifier_config.h"

namespace cupel {

void write_random_classifier(const std::filesystem::path& folder, const RandomClassifier& shape) {
  const std::filesystem::path fixture =
      std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures/classify";
  nn::ClassifierConfig config = nn::read_classifier_config(fixture);
  config.encoder.hidden_size = shape.hidden_size;
  config.encoder.intermediate_size = shape.intermediate_size;
  config.encoder.num_hidden_layers = shape.layers;
  config.encoder.num_attention_heads = shape.heads;
  std::vector<std::vector<float>> values;
  std::vector<TensorEntry> tensors;
  for (const nn::ClassifierTensor& tensor : nn::classifier_tensors(config)) {
    Rng rng(shape.seed, tensor.name);
    const bool factor = tensor.name.ends_with("LayerNorm.weight");
    std::vector<float>& numbers = values.emplace_back();
    for (int64_t i = 0; i < tensor.size(); ++i)
      numbers.push_back(static_cast<float>((factor ? 1 : 0) + 0.15 * rng.normal()));
    const auto bytes = static_cast<int64_t>(numbers.size() * sizeof(float));
    tensors.push_back({tensor.name, Dtype::f32, tensor.shape,
                       reinterpret_cast<const std::byte*>(numbers.data()), bytes});
  }
  write_safetensors(folder / "model.safetensors", tensors);
  write_file_atomically(folder / "config.json", json::dump(nn::to_hf_json(config, 0)));
  for (const char* name : {"tokenizer.json", "tokenizer_config.json"})
    std::filesystem::copy_file(fixture / name, folder / name);
}

}  // namespace cupel
