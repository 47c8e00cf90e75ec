// Buffers that a thread needs for its rows of a decoder's forward pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "nn/packed_linear.h"

namespace cupel::llm {

using nn::room;

struct DecoderScratch {
  std::vector<float> normed, inverse;  // [rows, width]; a row or head each
  nn::LinearInput input;               // reads `normed`
  std::vector<float> wide, active;     // products before and behind an activation
  nn::LinearInput active_input;
  std::vector<float> scores;
  std::vector<std::byte> shares;
  std::vector<float> chances;          // of experts
  std::vector<float> gathered, mixed;  // rows of an expert
  nn::LinearInput gathered_input;
  nn::LinearScratch products;

  /// The calling thread's.
  static DecoderScratch& of_thread() {
    thread_local DecoderScratch scratch;
    return scratch;
  }
};

}  // namespace cupel::llm
