// The rows of the table, one a source file, each compiled for its instruction set.
#pragma once

#include "kernels/kernels.h"

namespace cupel {

extern const Kernels kScalarRow;  // complete
extern const Kernels kAvx2Row;
extern const Kernels kAvx512Row;
extern const Kernels kAvx512Bf16Row;
extern const Kernels kAmxRow;

}  // namespace cupel
