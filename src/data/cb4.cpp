#include "data/cb4.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "data/gguf_types.h"

namespace cupel::cb4 {
namespace {

constexpr int kFirst = 8;  // the code of the value nearest to 0
constexpr int64_t kLargestScale = 0x7BFF;
constexpr double kCoarsest = 64, kFinest = 127 * 64;  // max|x| over the scales that are tried

/// One way from the value nearest to 0 outwards: what passing a midpoint changes.
template <std::size_t kSize>
struct Way {
  std::array<float, kSize> inverse{};  // 1 / |midpoint|
  std::array<double, kSize> value{};   // |the change of the value|
  std::array<double, kSize> square{};  // the change of its square
};

template <std::size_t kSize>
constexpr Way<kSize> way_outwards(int step) {
  Way<kSize> way;
  int code = kFirst;
  for (std::size_t i = 0; i < kSize; ++i, code += step) {
    const int from = kValues[static_cast<std::size_t>(code)];
    const int to = kValues[static_cast<std::size_t>(code + step)];
    way.inverse[i] = 2.0f / static_cast<float>(step * (from + to));
    way.value[i] = step * (to - from);
    way.square[i] = to * to - from * from;
  }
  return way;
}
constexpr auto kUp = way_outwards<15 - kFirst>(1);
constexpr auto kDown = way_outwards<kFirst>(-1);

/// The nearest code by half steps of -128 … 128: all midpoints are multiples of 0.5.
constexpr std::array<uint8_t, 513> nearest_codes() {
  std::array<uint8_t, 513> codes{};
  for (int i = 0, code = 0; i < 513; ++i) {
    while (code < 15 &&
           kValues[static_cast<std::size_t>(code)] + kValues[static_cast<std::size_t>(code + 1)] <=
               i - 256) {
      ++code;
    }
    codes[static_cast<std::size_t>(i)] = static_cast<uint8_t>(code);
  }
  return codes;
}
constexpr auto kNearest = nearest_codes();

/// The positive finite binary16 numbers in order: number i has the bits i.
const std::vector<float>& magnitudes() {
  static const std::vector<float> all = [] {
    std::vector<float> numbers;
    for (int64_t i = 0; i <= kLargestScale; ++i) {
      numbers.push_back(from_f16(static_cast<uint16_t>(i)));
    }
    return numbers;
  }();
  return all;
}

/// The largest binary16 not above `scale`, which is not negative.
int64_t number_below(float scale) {
  constexpr float kLeastNormal = 0x1p-14f, kSubnormalsInOne = 0x1p24f;
  if (scale < kLeastNormal) return static_cast<int64_t>(scale * kSubnormalsInOne);
  const auto bits = std::bit_cast<uint32_t>(scale);
  return std::min<int64_t>(static_cast<int64_t>(bits >> 13) - (112 << 10), kLargestScale);
}

double weight_of(const float* importance, int64_t i) { return importance ? importance[i] : 1; }

/// The weighted error of one scale that is not 0.
double error_of(const float* x, const float* importance, int64_t count, float scale) {
  double error = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double off = x[i] - scale * static_cast<float>(kValues[nearest(x[i] / scale)]);
    error += weight_of(importance, i) * off * off;
  }
  return error;
}

/// What the items beyond 127 scales cost at least, whatever the sign of the scale.
double clipping_error(const float* x, const float* importance, int64_t count, double scale) {
  double error = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double beyond = std::max(std::abs(x[i]) - 127 * scale, 0.0);
    error += weight_of(importance, i) * beyond * beyond;
  }
  return error;
}

/// The numbers of the scales to try, first and last.
struct Range {
  int64_t low, high;
};

/// `extremum`: the item of largest magnitude and its importance.
Range range_of(const float* x, const float* importance, int64_t count, int64_t extremum) {
  const double largest = std::abs(x[extremum]), weight = weight_of(importance, extremum);
  const int64_t high = number_below(static_cast<float>(largest / kCoarsest));
  const int64_t guess = std::max<int64_t>(number_below(static_cast<float>(largest / 127)), 1);
  const float sign = x[extremum] > 0 ? -1.0f : 1.0f;  // the extremum as -127
  const double error =
      error_of(x, importance, count, sign * magnitudes()[static_cast<std::size_t>(guess)]);
  // Below this the extremum alone costs more; then on as long as all that are clipped do.
  double scale = std::max((largest - std::sqrt(error / weight)) / 127, largest / kFinest);
  constexpr double kStride = 1.25;
  while (scale * kStride < largest / 127 &&
         clipping_error(x, importance, count, scale * kStride) > error) {
    scale *= kStride;
  }
  return {std::min(number_below(static_cast<float>(scale)), high), high};
}

/// Where the largest magnitude lies among items with importance; -1 if all are 0.
int64_t find_extremum(const float* x, const float* importance, int64_t count) {
  int64_t found = -1;
  float largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (std::abs(x[i]) > largest && weight_of(importance, i) > 0) {
      largest = std::abs(x[i]);
      found = i;
    }
  }
  return found;
}

bool all_zero(const float* importance, int64_t count) {
  return std::all_of(importance, importance + count, [](float each) { return each == 0; });
}

}  // namespace

uint8_t nearest(float y) {
  const double bounded = std::min(std::max(static_cast<double>(y), -128.0), 128.0);
  return kNearest[static_cast<std::size_t>(bounded * 2 + 256)];
}

/// An item passes midpoints of one side for scales as they are, and of the other for negated ones;
/// those it has passed at the highest scale count there, those below the lowest never.
void ScaleSearch::add_steps(float x, double importance, int64_t low, int64_t high) {
  const float magnitude = std::abs(x);
  const double weighted = importance * magnitude;
  const auto add = [&](const auto& way, int side) {
    for (std::size_t i = 0; i < way.value.size(); ++i) {
      const int64_t at = number_below(magnitude * way.inverse[i]);
      if (at < low) break;
      Step& step = steps_[static_cast<std::size_t>(std::min(at, high) - low)];
      step.product[side] += weighted * way.value[i];
      step.square[side] += importance * way.square[i];
    }
  };
  add(kUp, x > 0 ? 0 : 1);
  add(kDown, x > 0 ? 1 : 0);
}

uint16_t ScaleSearch::best(const float* x, const float* importance, int64_t count) {
  if (importance && all_zero(importance, count)) importance = nullptr;
  const int64_t extremum = find_extremum(x, importance, count);
  if (extremum < 0) return 0;
  const auto [low, high] = range_of(x, importance, count, extremum);
  steps_.resize(std::max(steps_.size(), static_cast<std::size_t>(high - low + 1)));
  double products = 0, squares = 0;  // of every item at value 1, where an infinite scale has it
  for (int64_t i = 0; i < count; ++i) {
    const double weight = weight_of(importance, i);
    products += weight * x[i] * kValues[kFirst];
    squares += weight * kValues[kFirst] * kValues[kFirst];
    if (x[i] != 0) add_steps(x[i], weight, low, high);
  }
  Pair product{products, -products}, square{squares, squares};
  // Errors less sum(importance * x²): d² * square - 2 * d * product.
  double least = 0;
  uint16_t found = 0;
  const float* const scales = magnitudes().data();
  for (int64_t number = high; number >= low; --number) {
    Step& step = steps_[static_cast<std::size_t>(number - low)];
    product += step.product;
    square += step.square;
    step = Step{};
    const double scale = scales[number];
    const Pair both{scale, scale};
    const Pair error = both * (both * square - (product + product));
    if (error[0] < least || error[1] < least) {
      const bool negated = error[1] < error[0];
      least = error[negated ? 1 : 0];
      found = static_cast<uint16_t>(number | (negated ? 0x8000 : 0));
    }
  }
  return found;
}

void write_block(uint16_t scale, const uint8_t* codes, std::byte* block) {
  block[0] = static_cast<std::byte>(scale & 0xFF);
  block[1] = static_cast<std::byte>(scale >> 8);
  for (int i = 0; i < 16; ++i) {
    block[2 + i] = static_cast<std::byte>(codes[i] | codes[16 + i] << 4);
  }
}

void encode(const float* x, int64_t count, uint16_t scale, std::byte* blocks) {
  CUPEL_ASSERT(count % kBlock == 0);
  const float d = from_f16(scale);
  uint8_t codes[kBlock];
  for (int64_t at = 0; at < count; at += kBlock, blocks += kBlockBytes) {
    for (int64_t i = 0; i < kBlock; ++i) codes[i] = d == 0 ? kFirst : nearest(x[at + i] / d);
    write_block(scale, codes, blocks);
  }
}

void check_weights(View<const float> weights, const std::string& where) {
  for (int64_t i = 0; i < weights.rows; ++i) {
    for (int64_t j = 0; j < weights.cols; ++j) {
      const float weight = weights(i, j);
      if (std::abs(weight) <= largest_weight()) continue;
      fail(ErrorKind::data, where,
           "row " + std::to_string(i) + ", column " + std::to_string(j) + " is " +
               std::to_string(weight) + ", which no 4-bit code and binary16 scale can hold",
           "quantise a model whose weights are finite and below 8.3 million");
    }
  }
}

void quantise(View<const float> weights, std::span<const float> importance, int64_t group,
              std::byte* blocks, ThreadPool& pool, const std::string& where) {
  CUPEL_ASSERT(group > 0 && group % kBlock == 0 && weights.cols % group == 0);
  CUPEL_ASSERT(importance.empty() || static_cast<int64_t>(importance.size()) == weights.cols);
  check_weights(weights, where);
  for (std::size_t j = 0; j < importance.size(); ++j) {
    if (importance[j] >= 0 && std::isfinite(importance[j])) continue;
    fail(ErrorKind::numeric, where,
         "the importance of column " + std::to_string(j) + " is " + std::to_string(importance[j]),
         "measure it again on activations that are finite");
  }
  constexpr int64_t kGrain = 16;
  pool.parallel_for(weights.rows, kGrain, [&](int64_t begin, int64_t end) {
    ScaleSearch search;
    for (int64_t i = begin; i < end; ++i) {
      std::byte* out = blocks + i * row_bytes(weights.cols);
      for (int64_t j = 0; j < weights.cols; j += group, out += row_bytes(group)) {
        const float* x = weights.row(i) + j;
        const float* of_columns = importance.empty() ? nullptr : importance.data() + j;
        encode(x, group, search.best(x, of_columns, group), out);
      }
    }
  });
}

}  // namespace cupel::cb4
