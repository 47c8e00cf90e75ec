// The rows of the table, one a source file, each compiled for its instruction set.
#pragma once

#include "kernels/kernels.h"

namespace cupel {

extern const Kernels
    kScalarRow;  // complete; its slots of few bits: int8.cpp, cb4.cpp, moments8.cpp
void scalar_gemm_int8(const Int8GemmArgs& args);
void scalar_quantize_rows(const float* x, int64_t x_stride, uint8_t* y, int64_t y_stride,
                          float* scale, int32_t* zero, int64_t rows, int64_t cols);
void scalar_gemm_cb4(const Cb4GemmArgs& args);
void scalar_quantize_signed(const float* x, int64_t x_stride, int8_t* y, int64_t y_stride,
                            float* scale, int32_t* offset, int64_t group, int64_t rows,
                            int64_t cols);
void scalar_adamw8(const AdamW8Args& args);
extern const Kernels kAvx2Row;
extern const Kernels kAvx512Row;
extern const Kernels kAvx512VnniRow;
extern const Kernels kAvx512Bf16Row;  // the same row's, where the CPU has BF16
extern const Kernels kAmxRow;

}  // namespace cupel
