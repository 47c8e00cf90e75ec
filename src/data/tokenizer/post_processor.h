// The tokens that a tokenizer.json's post-processor puts around a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace cupel {

struct Surroundings {
  std::vector<int32_t> before, after;
};

/// BertProcessing, ByteLevel (which moves offsets, never ids), RobertaProcessing,
/// TemplateProcessing and Sequences of them; null is none. Of a template "single" is read, which
/// holds special tokens around one Sequence; "pair" is left out. Ids are below `tokens`. Throws
/// Error{data} that names any other post-processor.
Surroundings parse_post_processor(const json::Value& value, const std::string& where,
                                  std::size_t tokens);

}  // namespace cupel
