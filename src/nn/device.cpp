#include "nn/device.h"

#include "kernels/dispatch.h"

namespace cupel::nn {

bool has_fp16_units(DeviceKind used) { return used == DeviceKind::cuda; }

bool has_bf16_units(DeviceKind used) {
  return used == DeviceKind::cuda || multiplies_bf16(kernels());
}

}  // namespace cupel::nn
