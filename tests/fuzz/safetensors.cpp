// A safetensors file image: what is accepted must lie inside it and survive being written again.
#include "data/safetensors.h"

#include "base/atomic_file.h"
#include "fuzz/survive.h"

namespace cupel {

void check(std::span<const std::byte> bytes) {
  std::map<std::string, std::string> metadata;
  const std::vector<TensorEntry> tensors = parse_safetensors(bytes, "fuzz", &metadata);
  for (const TensorEntry& tensor : tensors) {
    fuzz::require(tensor.data >= bytes.data());
    fuzz::require(tensor.data + tensor.bytes <= bytes.data() + bytes.size());
  }
  static const TemporaryFolder folder(TemporaryFolder::Place::memory);
  write_safetensors(folder / "first", tensors, metadata);
  const Safetensors again = Safetensors::open(folder / "first");
  fuzz::require(again.tensors().size() == tensors.size() && again.metadata() == metadata);
  write_safetensors(folder / "second", again.tensors(), again.metadata());
  fuzz::require(read_file(folder / "first") == read_file(folder / "second"));
}

}  // namespace cupel

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  cupel::fuzz::survive([&] { cupel::check(std::as_bytes(std::span(data, size))); });
  return 0;
}
