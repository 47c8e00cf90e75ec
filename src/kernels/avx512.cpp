// The row for AVX-512 F, BW, VL and DQ: Intel servers since Skylake, AMD since Zen 4.
#include "kernels/vec_avx512_inl.h"

// The loops over its Vec.
#include "kernels/attention_inl.h"
#include "kernels/reduction_inl.h"
#include "kernels/rows.h"

namespace cupel {

const Kernels kAvx512Row = {
    .name = "avx512",
    .gemm = gemm,
    .to_16bit = to_16bit,
    .from_16bit = from_16bit,
    .adamw = adamw,
    .unscale_and_check = unscale_and_check,
    .sum_of_squares = nullptr,
    .rms_norm = rms_norm,
    .rms_norm_backward = rms_norm_backward,
    .swiglu = swiglu,
    .swiglu_backward = swiglu_backward,
    .rope = rope,
    .attention = attention,
    .attention_backward = attention_backward,
    .cross_entropy = cross_entropy,
};

}  // namespace cupel
