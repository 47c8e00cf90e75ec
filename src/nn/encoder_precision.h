// Number formats of an encoder.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace cupel::nn {

/// fp32, bf16, fp16, mixed: as Precision has them. int8: the linear layers on 8-bit integers,
/// weights with a scale an output channel, what they are multiplied with with a scale and a zero a
/// token; the products of attention in bf16, everything else in fp32. w4a8: weights of the linear
/// layers in 4-bit codes (data/cb4.h), activations in 8 bits with a scale for 128 of a token; the
/// products of attention in bf16 where the CPU has units for it, else in fp32.
enum class EncoderPrecision { fp32, bf16, fp16, mixed, int8, w4a8 };
constexpr std::array<std::string_view, 6> names(EncoderPrecision) {
  return {"fp32", "bf16", "fp16", "mixed", "int8", "w4a8"};
}
static_assert(names(EncoderPrecision{}).size() ==
              static_cast<std::size_t>(EncoderPrecision::w4a8) + 1);

struct EncoderPrecisionReport {
  EncoderPrecision requested = EncoderPrecision::fp32;
  EncoderPrecision compute = EncoderPrecision::fp32;  // never mixed
  std::string reason;  // why `compute` differs from `requested`, or how it is carried out
};

/// What this CPU takes for what was asked.
EncoderPrecisionReport resolve_encoder_precision(EncoderPrecision requested);

struct NumberFormat;  // nn/packed_linear.h
/// `group`: depths that share a scale under w4a8.
NumberFormat format_of(EncoderPrecision compute, int64_t group);

}  // namespace cupel::nn
