// The exchange type between torch-free and torch code: a matrix that somebody else owns.
#pragma once

#include <cstdint>

namespace cupel {

/// rows x cols elements, rows `stride` elements apart.
template <class T>
struct View {
  T* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;

  T* row(int64_t i) const { return data + i * stride; }
  T& operator()(int64_t i, int64_t j) const { return data[i * stride + j]; }
};

}  // namespace cupel
