// Two depths of bf16 in each 32-bit lane of AVX-512, as VDPBF16PS and TDPBF16PS take them: packing
// and rounding.
#pragma once

#include "kernels/vec_avx512_inl.h"

// The loops over its Vec.
#include "kernels/gemm_inl.h"

namespace cupel {
namespace {

/// The first `count` elements of a row of bf16, zeros past them.
inline __m512i load_32(const uint16_t* p, int64_t count) {
  return _mm512_maskz_loadu_epi16(count >= 32 ? 0xffffffffu : (1u << count) - 1, p);
}
inline __m512i load_16(const uint16_t* p, int64_t count) {
  return _mm512_castsi256_si512(
      _mm256_maskz_loadu_epi16(count >= kLanes ? __mmask16{0xffff} : first_lanes(count), p));
}

/// (a0, b0, a1, b1, …) of the lower halves.
inline Vec interleave(__m512i a, __m512i b) {
  const __m512i first = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(a));
  const __m512i second = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(b));
  return _mm512_castsi512_ps(_mm512_or_si512(first, _mm512_slli_epi32(second, 16)));
}

/// Depth runs along memory, so its pairs lie ready: sixteen of them of sixteen lanes are turned.
template <int64_t width>
void pack_ready_pairs(const uint16_t* source, int64_t lane_stride, int64_t lanes, int64_t depth,
                      float* panel) {
  for (int64_t p = 0; p < depth; p += 2 * kLanes, panel += kLanes * width) {
    const int64_t left = depth - p, pairs = left < 2 * kLanes ? (left + 1) / 2 : kLanes;
    for (int64_t lane = 0; lane < width; lane += kLanes) {
      Vec square[kLanes];
      for (int64_t i = 0; i < kLanes; ++i)
        square[i] = lane + i < lanes
                        ? _mm512_castsi512_ps(load_32(source + (lane + i) * lane_stride + p, left))
                        : zero();
      transpose(square);
      for (int64_t i = 0; i < pairs; ++i) store(panel + i * width + lane, square[i]);
    }
  }
}

/// Lanes run along memory: two depths are interleaved, in all panels before the next few.
template <int64_t width>
void pack_two_depths(const uint16_t* source, int64_t depth_stride, int64_t lanes, int64_t depth,
                     float* panels) {
  const int64_t panel = (depth + 1) / 2 * width;
  for (int64_t begin = 0; begin < depth; begin += kDepthsTogether) {
    const int64_t end = begin + kDepthsTogether < depth ? begin + kDepthsTogether : depth;
    for (int64_t first = 0; first < lanes; first += width) {
      float* to = panels + first / width * panel + begin / 2 * width;
      const uint16_t* from = source + begin * depth_stride + first;
      for (int64_t p = begin; p < end; p += 2, to += width, from += 2 * depth_stride) {
        __builtin_prefetch(from + kDepthsTogether * depth_stride);
        __builtin_prefetch(from + (kDepthsTogether + 1) * depth_stride);
        for (int64_t lane = 0; lane < width; lane += kLanes) {
          const int64_t count = lanes - first - lane > 0 ? lanes - first - lane : 0;
          const __m512i second = load_16(from + depth_stride + lane, p + 1 < depth ? count : 0);
          store_some(to + lane, interleave(load_16(from + lane, count), second), width - lane);
        }
      }
    }
  }
}

/// Any strides, element by element.
template <int64_t width>
void pack_any(const uint16_t* source, int64_t lane_stride, int64_t depth_stride, int64_t lanes,
              int64_t depth, float* panel) {
  for (int64_t p = 0; p < depth; p += 2, panel += width) {
    for (int64_t lane = 0; lane < width; ++lane) {
      const uint16_t* at = source + lane * lane_stride + p * depth_stride;
      const uint32_t low = lane < lanes ? at[0] : 0;
      const uint32_t high = lane < lanes && p + 1 < depth ? at[depth_stride] : 0;
      panel[lane] = __builtin_bit_cast(float, high << 16 | low);
    }
  }
}

/// Two depths of bf16 a lane, the earlier in the lower half; an odd last one meets a zero.
struct Bf16Pairs {
  static constexpr Element kInPlace = Element::bf16;
  static constexpr int64_t kDepth = 2;
  static Vec multiply_add(Vec a, Vec b, Vec sum) {
    return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_castps_si512(a),
                            (__m512bh)_mm512_castps_si512(b));
  }
  static void round_bf16(uint16_t* to, Vec x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), (__m256i)_mm512_cvtneps_pbh(x));
  }

  template <int64_t width>
  static void pack_panels(const void* source, Element, int64_t at, int64_t lane_stride,
                          int64_t depth_stride, int64_t lanes, int64_t depth, float* panels) {
    const uint16_t* from = static_cast<const uint16_t*>(source) + at;
    if (lane_stride == 1 && depth_stride != 1)
      return pack_two_depths<width>(from, depth_stride, lanes, depth, panels);
    for (int64_t lane = 0; lane < lanes; lane += width) {
      const int64_t here = lanes - lane < width ? lanes - lane : width;
      if (depth_stride == 1) {
        pack_ready_pairs<width>(from, lane_stride, here, depth, panels);
      } else {
        pack_any<width>(from, lane_stride, depth_stride, here, depth, panels);
      }
      from += width * lane_stride;
      panels += (depth + 1) / 2 * width;
    }
  }
};

}  // namespace
}  // namespace cupel
