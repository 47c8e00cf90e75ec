// Runs a test once for every kernel row; a row that this machine lacks is skipped by name.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "kernels/dispatch.h"

namespace cupel {

inline const Kernels& scalar_row() { return available_rows().back(); }

/// The row under test is `row`.
class EveryRow : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    const std::string name(GetParam());
    for (const Kernels& candidate : available_rows())
      if (candidate.name == name) row = &candidate;
    if (row == nullptr) GTEST_SKIP() << "this machine has no kernel row " << name;
  }
  const Kernels* row = nullptr;
};

inline auto every_row_name() { return testing::ValuesIn(row_names().begin(), row_names().end()); }
inline std::string row_label(const testing::TestParamInfo<std::string_view>& info) {
  return std::string(info.param);
}

/// Normal numbers; `skew` elements in front make the data unaligned.
class Floats {
 public:
  Floats(int64_t size, uint32_t seed, float deviation = 1.0f, int64_t skew = 1)
      : skew_(skew), values_(static_cast<size_t>(size + skew + kGuard), kSentinel) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(0.0f, deviation);
    for (int64_t i = 0; i < size; ++i) data()[i] = normal(generator);
  }
  float* data() { return values_.data() + skew_; }
  const float* data() const { return values_.data() + skew_; }
  float& operator[](int64_t i) { return data()[i]; }
  float operator[](int64_t i) const { return data()[i]; }
  int64_t size() const { return static_cast<int64_t>(values_.size()) - skew_ - kGuard; }
  /// Whether the elements before and after the data are as they were.
  bool guarded() const {
    return std::all_of(values_.begin(), values_.begin() + skew_,
                       [](float x) { return x == kSentinel; }) &&
           std::all_of(values_.end() - kGuard, values_.end(),
                       [](float x) { return x == kSentinel; });
  }

 private:
  static constexpr int64_t kGuard = 32;
  static constexpr float kSentinel = 12345.0f;
  int64_t skew_;
  std::vector<float> values_;
};

/// |actual - expected| <= absolute + relative * |expected| everywhere; NaN equals NaN.
inline void expect_near(const Floats& actual, const Floats& expected, float relative,
                        float absolute) {
  ASSERT_EQ(actual.size(), expected.size());
  for (int64_t i = 0; i < actual.size(); ++i) {
    if (std::isnan(expected[i]) && std::isnan(actual[i])) continue;
    if (expected[i] == actual[i]) continue;
    ASSERT_LE(std::abs(actual[i] - expected[i]), absolute + relative * std::abs(expected[i]))
        << "element " << i << ": " << actual[i] << ", expected " << expected[i];
  }
  EXPECT_TRUE(actual.guarded()) << "wrote outside its output";
}

/// Row-aligned scratch memory of a kernel.
class Workspace {
 public:
  explicit Workspace(int64_t bytes) : lines_(static_cast<size_t>(bytes / 64 + 1)) {}
  void* get() { return lines_.data(); }

 private:
  struct alignas(64) Line {
    char bytes[64];
  };
  std::vector<Line> lines_;
};

}  // namespace cupel
