// Rows of a text and the class it belongs to.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/read.h"

namespace cupel {

struct LabelledText {
  std::string text, label;
  int64_t line = 0;  // in the input, from 1
};

struct LabelledOptions {
  ReadOptions read;
  std::string text_field = "text";
  std::string label_field = "label";
  std::function<void()> poll{};  // called at every row; may throw to end the reading
};

/// Rows of a text and a label, which is a string or a whole number; any other row is a reject.
std::vector<LabelledText> read_labelled(const std::filesystem::path& path,
                                        const LabelledOptions& options,
                                        std::vector<Reject>* rejects);

/// Each label once: as numbers where all are whole numbers, else by their bytes.
std::vector<std::string> sorted_labels(std::vector<std::string> labels);

}  // namespace cupel
