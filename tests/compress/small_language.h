// A small task for the compression of language models: a llama with random weights and texts.
#pragma once

#include <deque>
#include <string>

#include "base/atomic_file.h"
#include "base/json.h"
#include "compress/compress.h"
#include "data/safetensors.h"
#include "data/tokenizer/tokenizer.h"
#include "support/files.h"
#include "support/random_llama.h"

namespace cupel::compress {

/// model/ and texts.jsonl in a folder that goes with it.
class SmallLanguage {
 public:
  SmallLanguage() : tokenizer(Tokenizer::train({{{}, text(0), 0}}, options())) {
    llm::RandomLlama llama(tokenizer.vocab_size(), 0.2);
    config_ = llama.config;
    config_.max_position_embeddings = 64;
    source = llama.source;
    std::filesystem::create_directory(model());
    std::deque<std::vector<float>> values;
    std::vector<TensorEntry> entries;
    for (const llm::SourceTensor& tensor : source.tensors) {
      const llm::Extent extent = llm::extent_of(tensor.shape);
      std::vector<float>& all = values.emplace_back(extent.rows * extent.width);
      tensor.read(0, extent.rows, all.data());
      entries.push_back({tensor.name, Dtype::f32, tensor.shape,
                         reinterpret_cast<const std::byte*>(all.data()),
                         static_cast<int64_t>(all.size() * sizeof(float))});
    }
    write_safetensors(model() / "model.safetensors", entries, {});
    write_file_atomically(model() / "config.json", json::dump(llm::to_hf_json(config_)));
    tokenizer.save(model());
    std::string rows;
    for (int i = 0; i < 6; ++i) rows += json::dump(json::Object{{"text", text(i)}}) + "\n";
    folder_.write("texts.jsonl", rows);
  }

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  std::filesystem::path model() const { return folder_ / "model"; }
  const llm::ModelConfig& shape() const { return config_; }
  DataConfig data() const {
    DataConfig config;
    config.path = {(folder_ / "texts.jsonl").string()};
    return config;
  }
  Config config() const {
    Config config;
    config.model.text = model().string();
    config.calibration = data();
    config.quantize.emplace();
    return config;
  }

  Tokenizer tokenizer;
  llm::TensorSource source;

 private:
  static BpeTrainOptions options() {
    BpeTrainOptions result;
    result.vocab_size = 260;
    return result;
  }
  static std::string text(int seed) {
    std::string words;
    for (int i = 0; i < 30; ++i) words += "word " + std::to_string((i + seed) * 37 % 101) + " ";
    return words;
  }
  llm::ModelConfig config_;
  TemporaryFolder folder_;
};

}  // namespace cupel::compress
