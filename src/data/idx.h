// Arrays of bytes in the idx format of MNIST, plain, .gz or .zst.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace cupel {

/// Row-major: the last dimension is contiguous.
struct IdxArray {
  std::vector<int64_t> shape;   // one to four dimensions, none of them 0
  std::vector<uint8_t> values;  // as many as the shape says
};

/// A big-endian header (two zero bytes, the type 8 for unsigned bytes, the number of dimensions,
/// 4 bytes a dimension), then the values.
/// Other element types are not read. Throws Error{data} for any other bytes, too few or too many;
/// memory is bounded by what the file holds, whatever its header says.
IdxArray read_idx(const std::filesystem::path& path);

/// Images of one channel and the class of each.
struct LabelledImages {
  int64_t height = 0, width = 0;
  std::vector<uint8_t> pixels;  // [count, height, width]
  std::vector<uint8_t> labels;  // [count]
  int64_t count() const { return static_cast<int64_t>(labels.size()); }
};

/// From a file of three dimensions and one of one. Throws Error{data} if they do not belong
/// together.
LabelledImages read_labelled_images(const std::filesystem::path& images,
                                    const std::filesystem::path& labels);

}  // namespace cupel
