// Language models side by side on the same tokens: how far they are from the first, and how fast.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/run.h"
#include "compress/compress.h"
#include "compress/token_windows.h"
#include "nn/llm/decoder_weights.h"

namespace cupel::compress {

/// A step of the chain: a language model's files and how they are computed.
struct LanguageStep {
  std::string name;
  std::filesystem::path model;
  llm::DecoderFormat format;
};

/// Each window by itself; a window's first token has no context and is not weighed. Speeds of the
/// first `runs` windows, the steps taking turns window by window: prefill is all tokens of the
/// window at once, decoding the 16 tokens that the step then likes best, one by one. Throws
/// Interrupted when asked to stop.
std::vector<LanguageReport> measure_language(const std::vector<LanguageStep>& steps,
                                             const std::vector<TokenWindow>& windows, int64_t runs,
                                             Run& run);

}  // namespace cupel::compress
