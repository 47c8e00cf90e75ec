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

/// The first `count` of kLanes elements, rounded to the type.
template <Element type>
inline void store_as(void* base, int64_t at, Vec x, int64_t count) {
  if constexpr (type == Element::f32) {
    store_some(static_cast<float*>(base) + at, x, count);
  } else {
    uint16_t* to = static_cast<uint16_t*>(base) + at;
    uint16_t last[kLanes];
    uint16_t* rounded = count == kLanes ? to : last;
    if constexpr (type == Element::f16) {
      store_f16(rounded, x);
    } else {
      store_bf16(rounded, x);
    }
    for (int64_t lane = 0; count < kLanes && lane < count; ++lane) to[lane] = last[lane];
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

/// The error function within 4e-7: a rational function of x² fitted to it up to 3.925, where it
/// rounds to 1.
inline Vec erf(Vec x) {
  x = max(splat(-3.925f), min(splat(3.925f), x));
  const Vec t = x * x;
  Vec p = splat(2.030863217e-6f);
  p = fma(p, t, splat(2.874918299e-4f));
  p = fma(p, t, splat(3.876328283e-3f));
  p = fma(p, t, splat(5.308435532e-2f));
  p = fma(p, t, splat(1.929726191e-1f));
  p = fma(p, t, splat(1.128379020f));
  Vec q = splat(3.803136989e-5f);
  q = fma(q, t, splat(1.189749698e-3f));
  q = fma(q, t, splat(1.518835861e-2f));
  q = fma(q, t, splat(1.151674810e-1f));
  q = fma(q, t, splat(5.043491689e-1f));
  q = fma(q, t, splat(1.0f));
  return x * p / q;
}

inline Vec sigmoid(Vec x) { return splat(1.0f) / (splat(1.0f) + exp(zero() - x)); }

}  // namespace
}  // namespace cupel
