#include "nn/device.h"

#include "base/machine.h"
#include "kernels/kernels.h"

namespace cupel::nn {

bool has_fp16_units() { return false; }

bool has_bf16_units() {
  static const bool bf16 = machine().has_flag("avx512_bf16");
  const std::string_view row = kernels().name;
  return bf16 && (row == "avx512vnni" || row == "amx");
}

}  // namespace cupel::nn
