// A text's tokens cut to a length without losing what a model expects around them.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "data/tokenizer/tokenizer.h"

namespace cupel {

/// `ids` is what encode(text, true) gives, of which at most `most` tokens are kept: those that the
/// post-processor puts around a text ([CLS] … [SEP]) never go, unless they alone are more.
std::vector<int32_t> shortened(const Tokenizer& tokenizer, std::string_view text,
                               std::vector<int32_t> ids, int64_t most,
                               const std::function<void()>& poll = {});

}  // namespace cupel
