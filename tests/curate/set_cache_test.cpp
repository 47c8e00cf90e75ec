#include "curate/set_cache.h"

#include <gtest/gtest.h>

namespace cupel::curate {
namespace {

TEST(SetCache, FindsWhatWasPutAndKeepsTheFirst) {
  SetCache cache;
  cache.set_generation_bytes(1000);
  cache.put(7, {1, 2});
  cache.put(7, {3});
  ASSERT_NE(cache.find(7), nullptr);
  EXPECT_EQ(*cache.find(7), (SetCache::Set{1, 2}));
  EXPECT_EQ(cache.find(8), nullptr);
}

TEST(SetCache, LetsGoOfWhatWasNotUsedForAGeneration) {
  const SetCache::Set set(10);
  SetCache cache;
  cache.set_generation_bytes(2 * SetCache::bytes_of(set));
  for (uint32_t i = 0; i < 5; ++i) {
    cache.put(i, set);
    cache.renew(0);
  }
  EXPECT_NE(cache.find(0), nullptr);
  EXPECT_EQ(cache.find(1), nullptr);
  EXPECT_NE(cache.find(4), nullptr);
}

TEST(SetCache, DoesNotTakeASetLargerThanAGeneration) {
  SetCache cache;
  cache.put(1, {1});
  EXPECT_EQ(cache.find(1), nullptr);
}

}  // namespace
}  // namespace cupel::curate
