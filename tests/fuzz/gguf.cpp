// A GGUF file image: what is accepted lies inside it, and every value and tensor can be read.
#include "data/gguf.h"

#include "fuzz/survive.h"

namespace cupel {

void read_value(const GgufValue& value) {
  fuzz::require(!value.shown().empty());
  fuzz::survive([&] { value.as_int("fuzz"); });
  fuzz::survive([&] { value.as_double("fuzz"); });
  fuzz::survive([&] { value.as_text("fuzz"); });
  fuzz::survive([&] { fuzz::require(value.as_texts("fuzz").size() == value.count); });
  fuzz::survive([&] { fuzz::require(value.as_ints("fuzz").size() == value.count); });
  fuzz::survive([&] { fuzz::require(value.as_doubles("fuzz").size() == value.count); });
}

void check(std::span<const std::byte> bytes) {
  const GgufContents contents = parse_gguf(bytes, "fuzz");
  for (const GgufEntry& entry : contents.metadata) read_value(entry.value);
  for (const GgufTensor& tensor : contents.tensors) {
    fuzz::require(tensor.data >= bytes.data());
    fuzz::require(tensor.data + tensor.bytes <= bytes.data() + bytes.size());
    // The first row is enough to touch every code path; a whole one lies inside the file.
    std::vector<float> row(static_cast<std::size_t>(tensor.shape.back()));
    dequantise(tensor.type, tensor.data, tensor.shape.back(), row.data());
  }
}

}  // namespace cupel

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  cupel::fuzz::survive([&] { cupel::check(std::as_bytes(std::span(data, size))); });
  return 0;
}
