// AdamW with moments of a byte in plain C++, the oracle of every other row's.
#include <algorithm>
#include <cmath>

#include "kernels/rows.h"

namespace cupel {
namespace {

void read_moments(const AdamW8Args& args, int64_t block, int64_t count, float* first,
                  float* second) {
  const int64_t begin = block * kMomentBlock;
  for (int64_t i = 0; i < count; ++i) {
    const float q = static_cast<float>(args.first_moment[begin + i] - 128) / 127;
    const float root = static_cast<float>(args.second_moment[begin + i]) / 255;
    const float q2 = q * std::abs(q), root2 = root * root;
    first[i] = args.first_scale[block] * (q2 * std::abs(q2));
    second[i] = args.second_scale[block] * ((root2 * root2) * (root2 * root2));
  }
}

/// x over the largest, in [0, 1]; 0 where there is no largest.
float share(float x, float inverse) { return std::min(1.0f, std::max(0.0f, x * inverse)); }

void write_moments(const AdamW8Args& args, int64_t block, int64_t count, const float* first,
                   const float* second) {
  const int64_t begin = block * kMomentBlock;
  float largest_first = 0, largest_second = 0;
  for (int64_t i = 0; i < count; ++i) {
    largest_first = std::max(largest_first, std::abs(first[i]));
    largest_second = std::max(largest_second, second[i]);
  }
  args.first_scale[block] = largest_first;
  args.second_scale[block] = largest_second;
  const float first_inverse = largest_first > 0 ? 1 / largest_first : 0;
  const float second_inverse = largest_second > 0 ? 1 / largest_second : 0;
  for (int64_t i = 0; i < count; ++i) {
    const float first_root = std::sqrt(std::sqrt(share(std::abs(first[i]), first_inverse)));
    const float second_root = std::sqrt(std::sqrt(std::sqrt(share(second[i], second_inverse))));
    const float q = std::nearbyint(127 * first_root);
    const float least = second[i] > 0 ? 1.0f : 0.0f;
    args.first_moment[begin + i] = static_cast<uint8_t>(128 + (first[i] < 0 ? -q : q));
    args.second_moment[begin + i] =
        static_cast<uint8_t>(std::max(least, std::nearbyint(255 * second_root)));
  }
}

}  // namespace

void scalar_adamw8(const AdamW8Args& args) {
  float first[kMomentBlock], second[kMomentBlock], gradient[kMomentBlock];
  for (int64_t begin = 0; begin < args.step.size; begin += kMomentBlock) {
    const int64_t block = begin / kMomentBlock;
    AdamWArgs step = args.step;
    step.size = std::min(kMomentBlock, args.step.size - begin);
    step.parameter += begin;
    if (args.gradient_type == Element::f32) {
      step.gradient = static_cast<const float*>(args.gradient) + begin;
    } else {
      kScalarRow.from_16bit(static_cast<const uint16_t*>(args.gradient) + begin, args.gradient_type,
                            gradient, step.size);
      step.gradient = gradient;
    }
    read_moments(args, block, step.size, first, second);
    step.first_moment = first;
    step.second_moment = second;
    kScalarRow.adamw(step);
    write_moments(args, block, step.size, first, second);
  }
}

}  // namespace cupel
