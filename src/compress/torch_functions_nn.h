// The half of `compress` that needs LibTorch.
#pragma once

#include "compress/compress.h"

namespace cupel::compress {

TorchFunctions torch_functions();

}  // namespace cupel::compress
