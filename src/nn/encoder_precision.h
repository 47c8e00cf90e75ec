// Number formats of a sentence encoder.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace cupel::nn {

/// fp32, bf16, fp16, mixed: as Precision has them. int8: the linear layers on 8-bit integers,
/// weights with a scale an output channel, what they are multiplied with with a scale and a zero a
/// token; the products of attention in bf16, everything else in fp32.
enum class EncoderPrecision { fp32, bf16, fp16, mixed, int8 };
constexpr std::array<std::string_view, 5> names(EncoderPrecision) {
  return {"fp32", "bf16", "fp16", "mixed", "int8"};
}
static_assert(names(EncoderPrecision{}).size() ==
              static_cast<std::size_t>(EncoderPrecision::int8) + 1);

struct EncoderPrecisionReport {
  EncoderPrecision requested = EncoderPrecision::fp32;
  EncoderPrecision compute = EncoderPrecision::fp32;  // never mixed
  std::string reason;  // why `compute` differs from `requested`, or how it is carried out
};

}  // namespace cupel::nn
