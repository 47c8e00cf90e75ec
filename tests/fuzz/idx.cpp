// Images and their labels in idx files, a length byte that says where the second begins: what is
// read has the shape that it names.
#include "data/idx.h"

#include "fuzz/survive.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static const cupel::TemporaryFolder folder(cupel::TemporaryFolder::Place::memory);
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = size == 0 ? 0 : std::min<std::size_t>(data[0], size - 1);
  const auto images = folder.write("images", bytes.substr(std::min<std::size_t>(1, size), cut));
  const auto labels = folder.write("labels", bytes.substr(std::min(cut + 1, size)));
  cupel::fuzz::survive([&] {
    const cupel::IdxArray array = cupel::read_idx(images);
    std::size_t values = 1;
    for (const int64_t length : array.shape) values *= static_cast<std::size_t>(length);
    cupel::fuzz::require(values == array.values.size());
  });
  cupel::fuzz::survive([&] {
    const cupel::LabelledImages both = cupel::read_labelled_images(images, labels);
    cupel::fuzz::require(static_cast<int64_t>(both.pixels.size()) ==
                         both.count() * both.height * both.width);
  });
  return 0;
}
