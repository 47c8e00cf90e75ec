#include "data/idx.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"
#include "data/byte_stream.h"

namespace cupel {
namespace {

constexpr uint8_t kUnsignedBytes = 8;
constexpr std::size_t kIdxPiece = 1 << 16, kIdxMostDimensions = 4;
constexpr int64_t kIdxMostValues = int64_t{1} << 31;

[[noreturn]] void fail_idx(const std::filesystem::path& path, const std::string& text,
                           const std::string& hint) {
  fail(ErrorKind::data, path.string(), text, hint);
}

/// As many bytes as there are, `size` at most.
std::size_t read_up_to(ByteStream& stream, uint8_t* out, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const std::size_t got = stream.read(reinterpret_cast<char*>(out) + done, size - done);
    if (got == 0) break;
    done += got;
  }
  return done;
}

std::vector<int64_t> read_shape(ByteStream& stream, const std::filesystem::path& path) {
  const std::string hint = "MNIST's files look like this: train-images-idx3-ubyte";
  uint8_t start[4] = {};
  if (read_up_to(stream, start, sizeof start) < sizeof start || start[0] != 0 || start[1] != 0)
    fail_idx(path, "is no idx file: it does not begin with two zero bytes and a type", hint);
  if (start[2] != kUnsignedBytes) {
    fail_idx(path,
             "holds elements of type " + std::to_string(start[2]) + ", not unsigned bytes (8)",
             "write its values as bytes");
  }
  const std::size_t dimensions = start[3];
  if (dimensions < 1 || dimensions > kIdxMostDimensions)
    fail_idx(path, "has " + std::to_string(dimensions) + " dimensions; 1 to 4 are read", hint);
  std::vector<int64_t> shape;
  int64_t values = 1;
  for (std::size_t i = 0; i < dimensions; ++i) {
    uint8_t b[4] = {};
    if (read_up_to(stream, b, sizeof b) < sizeof b)
      fail_idx(path, "ends within its header", "fetch the file anew");
    const int64_t size = int64_t{b[0]} << 24 | int64_t{b[1]} << 16 | int64_t{b[2]} << 8 | b[3];
    if (size < 1 || size > kIdxMostValues / values) {
      fail_idx(path, "dimension " + std::to_string(i) + " is " + std::to_string(size),
               "an array has 1 to 2147483648 values");
    }
    values *= size;
    shape.push_back(size);
  }
  return shape;
}

}  // namespace

IdxArray read_idx(const std::filesystem::path& path) {
  ByteStream stream(path);
  IdxArray array{read_shape(stream, path), {}};
  std::size_t wanted = 1;
  for (const int64_t size : array.shape) wanted *= static_cast<std::size_t>(size);
  while (array.values.size() < wanted) {
    const std::size_t begin = array.values.size();
    array.values.resize(begin + std::min(kIdxPiece, wanted - begin));
    const std::size_t got =
        read_up_to(stream, array.values.data() + begin, array.values.size() - begin);
    if (begin + got == array.values.size()) continue;
    fail_idx(path,
             "ends after " + std::to_string(begin + got) + " of the " + std::to_string(wanted) +
                 " values that its header names",
             "fetch the file anew");
  }
  uint8_t more = 0;
  if (read_up_to(stream, &more, 1) > 0) {
    fail_idx(path, "goes on after the " + std::to_string(wanted) + " values that its header names",
             "fetch the file anew");
  }
  return array;
}

LabelledImages read_labelled_images(const std::filesystem::path& images,
                                    const std::filesystem::path& labels) {
  IdxArray pixels = read_idx(images), classes = read_idx(labels);
  if (pixels.shape.size() != 3) {
    fail_idx(images, "has " + std::to_string(pixels.shape.size()) + " dimensions, images have 3",
             "name the file of images first, that of labels second");
  }
  if (classes.shape.size() != 1 || classes.shape[0] != pixels.shape[0]) {
    fail_idx(labels,
             "does not have one label for each of the " + std::to_string(pixels.shape[0]) +
                 " images of " + images.string(),
             "take two files that belong together");
  }
  return {pixels.shape[1], pixels.shape[2], std::move(pixels.values), std::move(classes.values)};
}

}  // namespace cupel
