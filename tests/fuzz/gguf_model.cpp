// A GGUF file as a model: its config.json is one that we read or refuse, its tensors can be read
// row by row, and its tokenizer is one that we read or refuse.
#include "nn/llm/gguf_model.h"

#include "data/tokenizer/gguf_tokenizer.h"
#include "fuzz/survive.h"

namespace cupel::llm {

void check_tensors(const std::shared_ptr<const Gguf>& file, const ModelConfig& config) {
  for (const SourceTensor& tensor : gguf_source(file, config).tensors) {
    const Extent extent = extent_of(tensor.shape);
    if (!tensor.problem.empty() || extent.rows == 0) continue;
    std::vector<float> row(static_cast<std::size_t>(extent.width));
    tensor.read(extent.rows - 1, extent.rows, row.data());
  }
}

void check(std::string_view bytes) {
  static const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const auto file = std::make_shared<const Gguf>(Gguf::open(folder.write("m.gguf", bytes)));
  fuzz::survive([&] {
    const TokenizerTexts texts = tokenizer_texts(*file);
    const Tokenizer tokenizer = Tokenizer::parse(texts.tokenizer, "fuzz", texts.config);
    fuzz::survive([&] { tokenizer.decode(tokenizer.encode("a bc 12\n", true)); });
  });
  fuzz::survive([&] { check_tensors(file, ModelConfig()); });
  check_tensors(file, parse_model_config(json::dump(gguf_config(*file)), "fuzz"));
}

}  // namespace cupel::llm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  cupel::fuzz::survive([&] { cupel::llm::check({reinterpret_cast<const char*>(data), size}); });
  return 0;
}
