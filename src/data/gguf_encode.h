// fp32 as the number formats of GGUF tensors: the way back of dequantise().
#pragma once

#include <cstddef>
#include <cstdint>

#include "data/gguf_types.h"

namespace cupel {

/// To the nearest of the format, ties to even, as hardware and PyTorch do; too large becomes
/// infinite, a NaN stays one.
uint16_t to_f16(float value);
uint16_t to_bf16(float value);

/// Whether encode() writes this format: F32, F16, BF16 and Q8_0.
bool can_encode(GgufType type);

/// `count` numbers, whole blocks, into `out`, which has gguf_block(type).bytes a block and need not
/// be aligned. Q8_0 as ggml's quantize_row_q8_0_ref: scale = max |x| / 127, stored in fp16; codes
/// are rounded from the quotient by the scale before that rounding, halves away from zero.
void encode(GgufType type, const float* in, int64_t count, std::byte* out);

}  // namespace cupel
