// AdamW with moments of a byte: a block of them at a time becomes floats, takes its step, and is
// rounded again.
#pragma once

#include <cstdint>

#include "kernels/elementwise_inl.h"
#include "kernels/kernels.h"
#include "kernels/vec_inl.h"

namespace cupel {
namespace {

inline Vec magnitude(Vec x) { return max(x, zero() - x); }

/// `count` elements of block `block` as floats.
inline void read_moments(const AdamW8Args& args, int64_t block, int64_t count, float* first,
                         float* second) {
  const uint8_t* first_codes = args.first_moment + block * kMomentBlock;
  const uint8_t* second_codes = args.second_moment + block * kMomentBlock;
  const Vec first_scale = splat(args.first_scale[block]);
  const Vec second_scale = splat(args.second_scale[block]);
  for_each_vec(count, [&](int64_t i, int64_t some) {
    const Vec q = (load_bytes(first_codes + i, some) - splat(128.0f)) / splat(127.0f);
    const Vec root = load_bytes(second_codes + i, some) / splat(255.0f);
    const Vec q2 = q * magnitude(q), root2 = root * root;
    store_some(first + i, first_scale * (q2 * magnitude(q2)), some);
    store_some(second + i, second_scale * ((root2 * root2) * (root2 * root2)), some);
  });
}

/// x over the largest, in [0, 1]; 0 where there is no largest.
inline Vec share(Vec x, Vec inverse) { return min(splat(1.0f), max(x * inverse, zero())); }

inline void write_moments(const AdamW8Args& args, int64_t block, int64_t count, const float* first,
                          const float* second) {
  Vec most_first = zero(), most_second = zero();
  for_each_vec(count, [&](int64_t i, int64_t some) {
    most_first = max(magnitude(load_some(first + i, some)), most_first);
    most_second = max(load_some(second + i, some), most_second);
  });
  const float first_scale = largest(most_first), second_scale = largest(most_second);
  args.first_scale[block] = first_scale;
  args.second_scale[block] = second_scale;
  const Vec first_inverse = splat(first_scale > 0 ? 1 / first_scale : 0);
  const Vec second_inverse = splat(second_scale > 0 ? 1 / second_scale : 0);
  uint8_t* first_codes = args.first_moment + block * kMomentBlock;
  uint8_t* second_codes = args.second_moment + block * kMomentBlock;
  for_each_vec(count, [&](int64_t i, int64_t some) {
    const Vec m = load_some(first + i, some), v = load_some(second + i, some);
    const Vec first_root = sqrt(sqrt(share(magnitude(m), first_inverse)));
    const Vec q = round(splat(127.0f) * first_root);
    store_bytes(first_codes + i, splat(128.0f) + with_sign_of(q, m), 0, some);
    const Vec second_root = sqrt(sqrt(sqrt(share(v, second_inverse))));
    const Vec code = round(splat(255.0f) * second_root);
    store_bytes(second_codes + i, max(code, one_if_above_zero(v)), 0, some);
  });
}

void adamw8(const AdamW8Args& args) {
  float first[kMomentBlock], second[kMomentBlock], gradient[kMomentBlock];
  for (int64_t begin = 0; begin < args.step.size; begin += kMomentBlock) {
    const int64_t block = begin / kMomentBlock;
    AdamWArgs step = args.step;
    step.size = args.step.size - begin < kMomentBlock ? args.step.size - begin : kMomentBlock;
    step.parameter += begin;
    if (args.gradient_type == Element::f32) {
      step.gradient = static_cast<const float*>(args.gradient) + begin;
    } else {
      from_16bit(static_cast<const uint16_t*>(args.gradient) + begin, args.gradient_type, gradient,
                 step.size);
      step.gradient = gradient;
    }
    read_moments(args, block, step.size, first, second);
    step.first_moment = first;
    step.second_moment = second;
    adamw(step);
    write_moments(args, block, step.size, first, second);
  }
}

}  // namespace
}  // namespace cupel
