#include "support/reference_loops.h"

namespace cupel {
namespace {

template <class T>
double sum_of_products(const T* a, const T* b, int64_t size) {
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

}  // namespace

double dot(const float* a, const float* b, int64_t size) { return sum_of_products(a, b, size); }
double dot(const double* a, const double* b, int64_t size) { return sum_of_products(a, b, size); }

}  // namespace cupel
