// Logarithms as integers: their sums have no order and no rounding.
#pragma once

#include <cmath>
#include <cstdint>

namespace cupel::curate {

/// ln(ratio) in units of 2^-16 nats, so coarse that different math libraries agree.
inline int32_t log_weight(double ratio) {
  return static_cast<int32_t>(std::lround(std::log(ratio) * 65536));
}

/// In nats; 0 where there is nothing to take the mean of.
inline double mean_weight(int64_t sum, int64_t count) {
  return count == 0 ? 0 : static_cast<double>(sum) / 65536 / static_cast<double>(count);
}

}  // namespace cupel::curate
