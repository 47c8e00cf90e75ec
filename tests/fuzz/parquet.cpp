// Parquet files, through the plug-in where it is built; Arrow itself is fuzzed by its own project.
#include "fuzz/survive.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  cupel::fuzz::read_rows({reinterpret_cast<const char*>(data), size}, "rows.parquet");
  return 0;
}
