// What the Parquet plug-in offers: one function, found by its name when it is first needed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "data/arrow_abi.h"

namespace cupel {

inline constexpr const char* kParquetPlugin = "libcupel_parquet.so";
inline constexpr const char* kParquetOpen = "cupel_parquet_open";

/// Opens a Parquet file as a stream of record batches of at most `batch_rows` rows. Gives 0, or
/// writes what is wrong into `error` (at most `error_size` bytes with the ending 0) and gives 1.
using ParquetOpen = int (*)(const char* path, int64_t batch_rows, ArrowArrayStream* out,
                            char* error, std::size_t error_size);

}  // namespace cupel
