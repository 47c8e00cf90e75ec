// Rows of JSON: the same bytes as .jsonl and as a .json document.
#include "fuzz/survive.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  cupel::ReadOptions options;
  options.split = "train";
  options.columns = {"a", "b"};
  cupel::fuzz::read_rows(bytes, "rows.jsonl", options);
  cupel::fuzz::read_rows(bytes, "rows.json", options);
  return 0;
}
