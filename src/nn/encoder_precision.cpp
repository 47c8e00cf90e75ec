#include "nn/encoder_precision.h"

#include <algorithm>

#include "nn/device.h"
#include "nn/packed_linear.h"
#include "nn/precision.h"

namespace cupel::nn {
namespace {

constexpr bool share_their_order() {
  constexpr auto theirs = names(Precision{});
  return std::equal(theirs.begin(), theirs.end(), names(EncoderPrecision{}).begin());
}
static_assert(share_their_order());

/// Of the products that are no linear layer's.
Element element_of(EncoderPrecision compute) {
  switch (compute) {
    case EncoderPrecision::fp32:
      return Element::f32;
    case EncoderPrecision::fp16:
      return Element::f16;
    case EncoderPrecision::w4a8:
      return has_bf16_units() ? Element::bf16 : Element::f32;
    default:
      return Element::bf16;
  }
}

}  // namespace

EncoderPrecisionReport resolve_encoder_precision(EncoderPrecision requested) {
  if (requested == EncoderPrecision::int8 || requested == EncoderPrecision::w4a8)
    return {requested, requested, "as asked"};
  const PrecisionReport report =
      resolve_precision(static_cast<Precision>(requested), has_fp16_units(), has_bf16_units());
  return {requested, static_cast<EncoderPrecision>(report.compute), report.reason};
}

NumberFormat format_of(EncoderPrecision compute, int64_t group) {
  LinearFormat linear = LinearFormat::element;
  if (compute == EncoderPrecision::int8) linear = LinearFormat::int8;
  if (compute == EncoderPrecision::w4a8) linear = LinearFormat::cb4;
  return {element_of(compute), linear, group};
}

}  // namespace cupel::nn
