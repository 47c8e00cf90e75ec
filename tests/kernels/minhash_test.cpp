#include <algorithm>

#include "kernels/every_row.h"

namespace cupel {
namespace {

class Minhash : public EveryRow {};

std::vector<uint64_t> random_words(int64_t size, uint32_t seed) {
  std::mt19937_64 generator(seed);
  std::vector<uint64_t> words(static_cast<size_t>(size));
  for (uint64_t& word : words) word = generator();
  return words;
}

constexpr uint32_t kGuard = 0xabcdabcd;

/// One element more than asked for is there, and must not be written.
std::vector<uint32_t> minima_of(const Kernels& kernels, const std::vector<uint64_t>& hashes,
                                int64_t count) {
  const std::vector<uint64_t> factors = random_words(count, 2), offsets = random_words(count, 3);
  std::vector<uint32_t> minima(static_cast<size_t>(count) + 1, kGuard);
  kernels.minhash(hashes.data(), static_cast<int64_t>(hashes.size()), factors.data(),
                  offsets.data(), minima.data(), count);
  return minima;
}

TEST_P(Minhash, GivesTheSameBitsAsTheScalarRowForAnyCount) {
  for (const int64_t size : {0, 1, 2, 7, 300}) {
    for (const int64_t count : {0, 1, 3, 4, 5, 8, 15, 16, 31, 32, 33, 112, 125, 256}) {
      const std::vector<uint64_t> hashes = random_words(size, 1);
      const std::vector<uint32_t> minima = minima_of(*row, hashes, count);
      EXPECT_EQ(minima, minima_of(scalar_row(), hashes, count)) << size << " " << count;
      EXPECT_EQ(minima.back(), kGuard);
    }
  }
}

TEST_P(Minhash, OrdersWordsAsUnsignedNumbers) {
  const std::vector<uint64_t> hashes = {UINT64_C(0xffffffff) << 32, UINT64_C(1) << 63,
                                        UINT64_C(5) << 32, UINT64_C(0x7fffffff) << 32};
  const uint64_t factor = 1, offset = 0;
  for (size_t first = 0; first < hashes.size(); ++first) {
    const std::vector<uint64_t> rest(hashes.begin() + static_cast<std::ptrdiff_t>(first),
                                     hashes.end());
    uint32_t minimum = 0;
    row->minhash(rest.data(), static_cast<int64_t>(rest.size()), &factor, &offset, &minimum, 1);
    EXPECT_EQ(minimum, *std::min_element(rest.begin(), rest.end()) >> 32) << first;
  }
}

TEST_P(Minhash, IsTheMinimumOverAnyTwoParts) {
  const std::vector<uint64_t> whole = random_words(100, 1);
  const std::vector<uint64_t> front(whole.begin(), whole.begin() + 37),
      rest(whole.begin() + 37, whole.end());
  const auto all = minima_of(*row, whole, 125), a = minima_of(*row, front, 125),
             b = minima_of(*row, rest, 125);
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], std::min(a[i], b[i])) << i;
}

INSTANTIATE_TEST_SUITE_P(, Minhash, every_row_name(), row_label);

}  // namespace
}  // namespace cupel
