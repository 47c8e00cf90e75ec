// Eight floats in an AVX2 register: the few operations that the shared loop bodies are written in.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/kernels.h"

namespace cupel {
namespace {

using Vec = __m256;  // + - * / are the compiler's own
constexpr int64_t kLanes = 8;
constexpr int64_t kTileRows = 6;  // 6 x 16 sums of a matrix product fill 12 of 16 registers

inline Vec splat(float x) { return _mm256_set1_ps(x); }
inline Vec zero() { return _mm256_setzero_ps(); }
inline Vec load(const float* p) { return _mm256_loadu_ps(p); }
inline void store(float* p, Vec x) { _mm256_storeu_ps(p, x); }
/// The first `count` elements, `fill` in the lanes past them.
inline Vec load_some(const float* p, int64_t count, float fill = 0) {
  if (count >= kLanes) return load(p);
  float lanes[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) lanes[i] = i < count ? p[i] : fill;
  return load(lanes);
}
inline void store_some(float* p, Vec x, int64_t count) {
  if (count >= kLanes) return store(p, x);
  float lanes[kLanes];
  store(lanes, x);
  for (int64_t i = 0; i < count; ++i) p[i] = lanes[i];
}

inline Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
inline Vec sqrt(Vec x) { return _mm256_sqrt_ps(x); }
/// Both give y where either is NaN.
inline Vec max(Vec x, Vec y) { return _mm256_max_ps(x, y); }
inline Vec min(Vec x, Vec y) { return _mm256_min_ps(x, y); }
inline Vec round(Vec x) {
  return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/// x·2^n for an integer-valued n in [-252, 254], rounded once unless the result is subnormal.
inline Vec scale_by_power_of_2(Vec x, Vec n) {
  const __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
  const __m256i rest = _mm256_sub_epi32(whole, half), bias = _mm256_set1_epi32(127);
  const Vec first = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
  return x * first * _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
}

inline float sum(Vec x) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
inline float largest(Vec x) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
inline float first_lane(Vec x) { return _mm256_cvtss_f32(x); }

/// (x1, x0, x3, x2, …)
inline Vec swap_pairs(Vec x) { return _mm256_permute_ps(x, 0xB1); }
/// (p0, p0, p1, p1, …) from kLanes / 2 floats.
inline Vec load_doubled(const float* p) {
  const __m256i twice = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
  return _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), twice);
}

inline Vec load_f16(const uint16_t* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline Vec load_bf16(const uint16_t* p) {
  const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
inline void store_f16(uint16_t* p, Vec x) {
  const __m128i bits = _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bits);
}
inline void store_bf16(uint16_t* p, Vec x) {
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x00400000));
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  const __m256i high = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(high, high), 0x08);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(packed));
}

/// Rows become columns.
inline void transpose(Vec* x) {
  Vec t[8];
  for (int i = 0; i < 8; i += 4) {
    const Vec a = _mm256_unpacklo_ps(x[i], x[i + 1]), b = _mm256_unpackhi_ps(x[i], x[i + 1]);
    const Vec c = _mm256_unpacklo_ps(x[i + 2], x[i + 3]),
              d = _mm256_unpackhi_ps(x[i + 2], x[i + 3]);
    t[i] = _mm256_shuffle_ps(a, c, 0x44);
    t[i + 1] = _mm256_shuffle_ps(a, c, 0xEE);
    t[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
    t[i + 3] = _mm256_shuffle_ps(b, d, 0xEE);
  }
  for (int i = 0; i < 4; ++i) {
    x[i] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x20);
    x[i + 4] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x31);
  }
}

/// The first `count` bytes as numbers 0 to 255, 0 past them.
inline Vec load_bytes(const uint8_t* p, int64_t count) {
  int64_t bytes = 0;
  __builtin_memcpy(&bytes, p, static_cast<unsigned long>(count < kLanes ? count : kLanes));
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(bytes)));
}
/// |x| with the sign of y.
inline Vec with_sign_of(Vec x, Vec y) {
  const Vec sign = splat(-0.0f);
  return _mm256_or_ps(_mm256_and_ps(sign, y), _mm256_andnot_ps(sign, x));
}
inline Vec one_if_above_zero(Vec x) {
  return _mm256_and_ps(_mm256_cmp_ps(x, zero(), _CMP_GT_OQ), splat(1.0f));
}

/// Eight 32-bit integers.
using Ints = __m256i;
inline Ints splat_int(int32_t x) { return _mm256_set1_epi32(x); }
inline Ints load_ints(const void* p) { return _mm256_loadu_si256(static_cast<const Ints*>(p)); }
inline Ints multiply_ints(Ints x, Ints y) { return _mm256_mullo_epi32(x, y); }
inline Ints sub_ints(Ints x, Ints y) { return _mm256_sub_epi32(x, y); }
inline Ints max_ints(Ints x, Ints y) { return _mm256_max_epi32(x, y); }
inline int32_t largest_int(Ints x) {
  __m128i m = _mm_max_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4E));
  return _mm_cvtsi128_si32(_mm_max_epi32(m, _mm_shuffle_epi32(m, 0xB1)));
}
inline Vec floats_of(Ints x) { return _mm256_cvtepi32_ps(x); }
/// Its bits but the sign.
inline Ints magnitude_bits(Vec x) {
  return _mm256_and_si256(_mm256_castps_si256(x), splat_int(0x7fffffff));
}
/// Rounded to nearest even, plus `zero`; 255 at most. The sum must not be below 0.
inline void store_bytes(uint8_t* p, Vec x, int32_t zero, int64_t count) {
  const Ints bytes = _mm256_add_epi32(_mm256_cvtps_epi32(x), splat_int(zero));
  const __m128i words =
      _mm_packus_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
  const int64_t packed = _mm_cvtsi128_si64(_mm_packus_epi16(words, words));
  __builtin_memcpy(p, &packed, static_cast<unsigned long>(count < kLanes ? count : kLanes));
}
/// The halves of each byte, as bytes.
inline Ints low_nibbles(Ints x) { return _mm256_and_si256(x, _mm256_set1_epi8(15)); }
inline Ints high_nibbles(Ints x) { return low_nibbles(_mm256_srli_epi16(x, 4)); }
/// table[byte] for bytes of 0 to 15.
inline Ints look_up(Ints bytes, const int8_t* table) {
  const __m128i values = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(values), bytes);
}
inline void store_ints(void* p, Ints x) { _mm256_storeu_si256(static_cast<Ints*>(p), x); }
/// Rounded to nearest even; what lies within -128 to 127.
inline void store_signed_bytes(int8_t* p, Vec x, int64_t count) {
  const Ints ints = _mm256_cvtps_epi32(x);
  const __m128i words =
      _mm_packs_epi32(_mm256_castsi256_si128(ints), _mm256_extracti128_si256(ints, 1));
  const int64_t packed = _mm_cvtsi128_si64(_mm_packs_epi16(words, words));
  __builtin_memcpy(p, &packed, static_cast<unsigned long>(count < kLanes ? count : kLanes));
}
/// Bytes 0 and 2, or 1 and 3, of each integer as two 16-bit numbers, with or without their sign.
inline Ints even_signed(Ints x) { return _mm256_srai_epi16(_mm256_slli_epi16(x, 8), 8); }
inline Ints odd_signed(Ints x) { return _mm256_srai_epi16(x, 8); }
inline Ints even_unsigned(Ints x) { return _mm256_and_si256(x, splat_int(0x00ff00ff)); }
inline Ints odd_unsigned(Ints x) { return _mm256_srli_epi16(x, 8); }
/// sum + both products of 16-bit numbers in each integer.
inline Ints add_products(Ints sum, Ints x, Ints y) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(x, y));
}

/// Four 64-bit words.
using Words = __m256i;
constexpr int64_t kWords = 4;
inline Words splat_word(uint64_t x) { return _mm256_set1_epi64x(static_cast<long long>(x)); }
inline Words load_words(const uint64_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
inline void store_words(uint64_t* p, Words x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x);
}
inline Words add_words(Words x, Words y) { return _mm256_add_epi64(x, y); }
/// Mod 2^64, from three products of 32-bit halves.
inline Words multiply_words(Words x, Words y) {
  const Words cross = _mm256_add_epi64(_mm256_mul_epu32(_mm256_srli_epi64(x, 32), y),
                                       _mm256_mul_epu32(x, _mm256_srli_epi64(y, 32)));
  return _mm256_add_epi64(_mm256_mul_epu32(x, y), _mm256_slli_epi64(cross, 32));
}
/// What to add to words so that min_words orders them as unsigned ones.
constexpr uint64_t kWordBias = UINT64_C(1) << 63;
inline Words min_words(Words x, Words y) {
  return _mm256_blendv_epi8(x, y, _mm256_cmpgt_epi64(x, y));
}

}  // namespace
}  // namespace cupel
