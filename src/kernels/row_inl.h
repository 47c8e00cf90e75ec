// The slots that the shared loop bodies fill, for the row files that include one vec_*_inl.h before
// this.
#pragma once

#include "kernels/attention_inl.h"
#include "kernels/cb4_inl.h"
#include "kernels/elementwise_inl.h"
#include "kernels/int8_inl.h"
#include "kernels/minhash_inl.h"
#include "kernels/moments8_inl.h"
#include "kernels/ordered_inl.h"
#include "kernels/reduction_inl.h"
#include "kernels/rows.h"

namespace cupel {
namespace {

/// sum_of_squares keeps eight partial sums whatever the width, so the scalar row's serves all;
/// topic_sweep is the row's own business.
constexpr Kernels vector_row(const char* name) {
  return {
      .name = name,
      .gemm = gemm_by<FloatLanes>,
      .ordered_product = ordered_product,
      .gemm_int8 = gemm_int8_by<WidenedQuads>,
      .quantize_rows = quantize_rows,
      .gemm_cb4 = gemm_cb4_by<SignedCodes>,
      .quantize_signed = quantize_signed,
      .to_16bit = to_16bit,
      .from_16bit = from_16bit,
      .adamw = adamw,
      .adamw8 = adamw8,
      .sum_of_squares = nullptr,
      .rms_norm = rms_norm,
      .rms_norm_backward = rms_norm_backward,
      .layer_norm = layer_norm,
      .add_bias = add_bias,
      .softmax = softmax,
      .swiglu = swiglu,
      .swiglu_backward = swiglu_backward,
      .rope = rope,
      .attention = attention,
      .attention_backward = attention_backward,
      .cross_entropy = cross_entropy,
      .topic_sweep = nullptr,
      .minhash = minhash,
  };
}

}  // namespace
}  // namespace cupel
