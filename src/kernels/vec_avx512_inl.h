// Sixteen floats in an AVX-512 register: the few operations that the shared loop bodies are written
// in.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/kernels.h"

namespace cupel {
namespace {

using Vec = __m512;  // + - * / are the compiler's own
constexpr int64_t kLanes = 16;
constexpr int64_t kTileRows = 12;  // 12 x 32 sums of a matrix product fill 24 of 32 registers

inline Vec splat(float x) { return _mm512_set1_ps(x); }
inline Vec zero() { return _mm512_setzero_ps(); }
inline Vec load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, Vec x) { _mm512_storeu_ps(p, x); }
/// Of fewer than kLanes.
inline __mmask16 first_lanes(int64_t count) { return static_cast<__mmask16>((1u << count) - 1); }
/// The first `count` elements, `fill` in the lanes past them.
inline Vec load_some(const float* p, int64_t count, float fill = 0) {
  if (count >= kLanes) return load(p);
  return _mm512_mask_loadu_ps(splat(fill), first_lanes(count), p);
}
inline void store_some(float* p, Vec x, int64_t count) {
  if (count >= kLanes) return store(p, x);
  _mm512_mask_storeu_ps(p, first_lanes(count), x);
}

inline Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
inline Vec sqrt(Vec x) { return _mm512_sqrt_ps(x); }
/// Both give y where either is NaN.
inline Vec max(Vec x, Vec y) { return _mm512_max_ps(x, y); }
inline Vec min(Vec x, Vec y) { return _mm512_min_ps(x, y); }
inline Vec round(Vec x) {
  return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/// x·2^n for an integer-valued n, rounded once.
inline Vec scale_by_power_of_2(Vec x, Vec n) { return _mm512_scalef_ps(x, n); }

/// The upper half onto the lower.
inline __m256 upper_half(Vec x) { return _mm512_extractf32x8_ps(x, 1); }
inline float sum(Vec x) {
  const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(x), upper_half(x));
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
inline float largest(Vec x) {
  const __m256 h = _mm256_max_ps(_mm512_castps512_ps256(x), upper_half(x));
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
inline float first_lane(Vec x) { return _mm512_cvtss_f32(x); }

/// (x1, x0, x3, x2, …)
inline Vec swap_pairs(Vec x) { return _mm512_permute_ps(x, 0xB1); }
/// (p0, p0, p1, p1, …) from kLanes / 2 floats.
inline Vec load_doubled(const float* p) {
  const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
  return _mm512_permutexvar_ps(twice, _mm512_castps256_ps512(_mm256_loadu_ps(p)));
}

inline Vec load_f16(const uint16_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline Vec load_bf16(const uint16_t* p) {
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
inline void store_f16(uint16_t* p, Vec x) {
  const __m256i bits = _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), bits);
}
inline void store_bf16(uint16_t* p, Vec x) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  const __m512i kept = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x00400000));
  const __m256i high = _mm512_cvtepi32_epi16(_mm512_srli_epi32(kept, 16));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), high);
}

/// Rows become columns: first inside each 4 x 4 square of floats, then the squares.
inline void transpose(Vec* x) {
  Vec t[16];
  for (int i = 0; i < 16; i += 4) {
    const Vec a = _mm512_unpacklo_ps(x[i], x[i + 1]), b = _mm512_unpackhi_ps(x[i], x[i + 1]);
    const Vec c = _mm512_unpacklo_ps(x[i + 2], x[i + 3]),
              d = _mm512_unpackhi_ps(x[i + 2], x[i + 3]);
    t[i] = _mm512_shuffle_ps(a, c, 0x44);
    t[i + 1] = _mm512_shuffle_ps(a, c, 0xEE);
    t[i + 2] = _mm512_shuffle_ps(b, d, 0x44);
    t[i + 3] = _mm512_shuffle_ps(b, d, 0xEE);
  }
  for (int i = 0; i < 4; ++i) {
    const Vec a = _mm512_shuffle_f32x4(t[i], t[i + 4], 0x88),
              b = _mm512_shuffle_f32x4(t[i], t[i + 4], 0xDD);
    const Vec c = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0x88),
              d = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0xDD);
    x[i] = _mm512_shuffle_f32x4(a, c, 0x88);
    x[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
    x[i + 8] = _mm512_shuffle_f32x4(a, c, 0xDD);
    x[i + 12] = _mm512_shuffle_f32x4(b, d, 0xDD);
  }
}

/// The first `count` bytes as numbers 0 to 255, 0 past them.
inline Vec load_bytes(const uint8_t* p, int64_t count) {
  const __mmask16 wanted = count >= kLanes ? __mmask16{0xffff} : first_lanes(count);
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(wanted, p)));
}
/// |x| with the sign of y.
inline Vec with_sign_of(Vec x, Vec y) {
  const __m512i sign = _mm512_set1_epi32(INT32_MIN);
  return _mm512_castsi512_ps(
      _mm512_ternarylogic_epi32(sign, _mm512_castps_si512(y), _mm512_castps_si512(x), 0xCA));
}
inline Vec one_if_above_zero(Vec x) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, zero(), _CMP_GT_OQ), splat(1.0f));
}

/// Sixteen 32-bit integers.
using Ints = __m512i;
inline Ints splat_int(int32_t x) { return _mm512_set1_epi32(x); }
inline Ints load_ints(const void* p) { return _mm512_loadu_si512(p); }
inline Ints multiply_ints(Ints x, Ints y) { return _mm512_mullo_epi32(x, y); }
inline Ints sub_ints(Ints x, Ints y) { return _mm512_sub_epi32(x, y); }
inline Ints max_ints(Ints x, Ints y) { return _mm512_max_epi32(x, y); }
inline int32_t largest_int(Ints x) { return _mm512_reduce_max_epi32(x); }
inline Vec floats_of(Ints x) { return _mm512_cvtepi32_ps(x); }
/// Its bits but the sign.
inline Ints magnitude_bits(Vec x) {
  return _mm512_and_si512(_mm512_castps_si512(x), splat_int(0x7fffffff));
}
/// Rounded to nearest even, plus `zero`; 255 at most. The sum must not be below 0.
inline void store_bytes(uint8_t* p, Vec x, int32_t zero, int64_t count) {
  const Ints bytes = _mm512_add_epi32(_mm512_cvtps_epi32(x), splat_int(zero));
  const __mmask16 wanted = count >= kLanes ? __mmask16{0xffff} : first_lanes(count);
  _mm_mask_storeu_epi8(p, wanted, _mm512_cvtusepi32_epi8(bytes));
}
/// The halves of each byte, as bytes.
inline Ints low_nibbles(Ints x) { return _mm512_and_si512(x, _mm512_set1_epi8(15)); }
inline Ints high_nibbles(Ints x) { return low_nibbles(_mm512_srli_epi16(x, 4)); }
/// table[byte] for bytes of 0 to 15.
inline Ints look_up(Ints bytes, const int8_t* table) {
  const __m128i values = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(values), bytes);
}
inline void store_ints(void* p, Ints x) { _mm512_storeu_si512(p, x); }
/// Rounded to nearest even; what lies within -128 to 127.
inline void store_signed_bytes(int8_t* p, Vec x, int64_t count) {
  const __mmask16 wanted = count >= kLanes ? __mmask16{0xffff} : first_lanes(count);
  _mm_mask_storeu_epi8(p, wanted, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
}
/// Bytes 0 and 2, or 1 and 3, of each integer as two 16-bit numbers, with or without their sign.
inline Ints even_signed(Ints x) { return _mm512_srai_epi16(_mm512_slli_epi16(x, 8), 8); }
inline Ints odd_signed(Ints x) { return _mm512_srai_epi16(x, 8); }
inline Ints even_unsigned(Ints x) { return _mm512_and_si512(x, splat_int(0x00ff00ff)); }
inline Ints odd_unsigned(Ints x) { return _mm512_srli_epi16(x, 8); }
/// sum + both products of 16-bit numbers in each integer.
inline Ints add_products(Ints sum, Ints x, Ints y) {
  return _mm512_add_epi32(sum, _mm512_madd_epi16(x, y));
}

/// Eight 64-bit words.
using Words = __m512i;
constexpr int64_t kWords = 8;
inline Words splat_word(uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }
inline Words load_words(const uint64_t* p) { return _mm512_loadu_si512(p); }
inline void store_words(uint64_t* p, Words x) { _mm512_storeu_si512(p, x); }
inline Words add_words(Words x, Words y) { return _mm512_add_epi64(x, y); }
inline Words multiply_words(Words x, Words y) { return _mm512_mullo_epi64(x, y); }
/// What to add to words so that min_words orders them as unsigned ones.
constexpr uint64_t kWordBias = 0;
inline Words min_words(Words x, Words y) { return _mm512_min_epu64(x, y); }

}  // namespace
}  // namespace cupel
