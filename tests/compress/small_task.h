// A small task for compression: a classifier with random weights and texts in its words.
#pragma once

#include <string>

#include "base/json.h"
#include "base/rng.h"
#include "compress/compress.h"
#include "support/files.h"
#include "support/random_classifier.h"

namespace cupel::compress {

/// model/ and texts.jsonl in a folder that goes with it.
class SmallTask {
 public:
  explicit SmallTask(int64_t rows = 60) {
    std::filesystem::create_directory(model());
    write_random_classifier(model());
    Rng rng(1, "texts");
    std::string text;
    for (int64_t i = 0; i < rows; ++i) {
      std::string words;
      for (uint64_t count = 1 + rng.below(12); count > 0; --count)
        words += std::string(words.empty() ? "" : " ") + kWords[rng.below(std::size(kWords))];
      text += json::dump(json::Object{{"text", words}, {"label", kLabels[i % 4]}}) + "\n";
    }
    folder_.write("texts.jsonl", text);
  }

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  std::filesystem::path model() const { return folder_ / "model"; }
  DataConfig data() const {
    DataConfig config;
    config.path = {(folder_ / "texts.jsonl").string()};
    return config;
  }
  Config config() const {
    Config config;
    config.model.text = model().string();
    config.datasets = {data()};
    return config;
  }

 private:
  static constexpr const char* kWords[] = {"the", "cat", "dog", "is", "good", "bad", "my", "where"};
  static constexpr const char* kLabels[] = {"complaint", "praise", "question", "request"};
  TemporaryFolder folder_;
};

}  // namespace cupel::compress
