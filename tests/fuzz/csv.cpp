// Comma-separated values, plain, and compressed where the bytes begin like gzip or zstd.
#include "fuzz/survive.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  cupel::fuzz::read_rows(bytes, "rows.csv");
  if (bytes.starts_with("\x1f\x8b")) cupel::fuzz::read_rows(bytes, "rows.csv.gz");
  if (bytes.starts_with("\x28\xb5")) cupel::fuzz::read_rows(bytes, "rows.csv.zst");
  return 0;
}
