// Texts of a language model's calibration and measurement, as windows of tokens.
#pragma once

#include <cstdint>
#include <vector>

#include "base/run.h"
#include "compress/compress.h"
#include "data/tokenizer/tokenizer.h"

namespace cupel::compress {

using TokenWindow = std::vector<int32_t>;

/// The first `most` windows of `length` tokens, the last of each text being shorter; one without a
/// second token is left out. Only data.text_field is read. Throws Error{data} if there is none;
/// Interrupted when asked to stop.
std::vector<TokenWindow> read_windows(const DataConfig& data, const Tokenizer& tokenizer,
                                      int64_t length, std::size_t most, Run& run);

}  // namespace cupel::compress
