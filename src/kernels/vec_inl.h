// Operations over Vec that are the same on every row: loops over arrays, 16-bit elements, exp.
// Included after one vec_*_inl.h, which defines Vec.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"

namespace cupel {
namespace {

/// body(at, count) for each vector of an array, count < kLanes at its end only.
template <class Body>
inline void for_each_vec(int64_t size, Body body) {
  int64_t at = 0;
  for (; at + kLanes <= size; at += kLanes) body(at, kLanes);
  if (at < size) body(at, size - at);
}

/// kLanes elements of a type, from element `at`.
template <Element type>
inline Vec load_as(const void* base, int64_t at) {
  if constexpr (type == Element::f32) {
    return load(static_cast<const float*>(base) + at);
  } else if constexpr (type == Element::f16) {
    return load_f16(static_cast<const uint16_t*>(base) + at);
  } else {
    return load_bf16(static_cast<const uint16_t*>(base) + at);
  }
}

/// One element of a type; slow for 16 bits, so only for edges.
template <Element type>
inline float element_as(const void* base, int64_t at) {
  if constexpr (type == Element::f32) {
    return static_cast<const float*>(base)[at];
  } else {
    uint16_t bits[kLanes] = {static_cast<const uint16_t*>(base)[at]};
    float lanes[kLanes];
    store(lanes, load_as<type>(bits, 0));
    return lanes[0];
  }
}

/// e^x within 1.5 ulp (tested on all floats of (-104, 89) in steps); 0 below, infinity above, NaN
/// stays. x = n·ln 2 + r with |r| <= ln 2 / 2; the polynomial is Cephes' expf.
inline Vec exp(Vec x) {
  x = max(splat(-110.0f), min(splat(90.0f), x));  // in this order NaN passes through
  const Vec n = round(x * splat(1.44269504f));
  Vec r = fma(n, splat(-0.693359375f), x);
  r = fma(n, splat(2.12194440e-4f), r);
  Vec p = splat(1.9875691500e-4f);
  p = fma(p, r, splat(1.3981999507e-3f));
  p = fma(p, r, splat(8.3334519073e-3f));
  p = fma(p, r, splat(4.1665795894e-2f));
  p = fma(p, r, splat(1.6666665459e-1f));
  p = fma(p, r, splat(5.0000001201e-1f));
  p = fma(p, r * r, r) + splat(1.0f);
  return scale_by_power_of_2(p, n);
}

inline Vec sigmoid(Vec x) { return splat(1.0f) / (splat(1.0f) + exp(zero() - x)); }

}  // namespace
}  // namespace cupel
