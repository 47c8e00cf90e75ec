#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/rng.h"
#include "support/errors.h"

namespace cupel {
namespace {

using Chunk = std::pair<int64_t, int64_t>;

std::set<Chunk> chunks_of(ThreadPool& pool, int64_t count, int64_t grain) {
  std::set<Chunk> chunks;
  std::mutex mutex;
  pool.parallel_for(count, grain, [&](int64_t begin, int64_t end) {
    const std::lock_guard lock(mutex);
    chunks.emplace(begin, end);
  });
  return chunks;
}

TEST(ThreadPool, CoversEveryItemOnceInChunksThatDependOnCountAndGrainAlone) {
  const std::set<Chunk> expected{{0, 4}, {4, 8}, {8, 10}};
  for (const int threads : {1, 2, 7}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    EXPECT_EQ(chunks_of(pool, 10, 4), expected);
    EXPECT_EQ(chunks_of(pool, 0, 4), std::set<Chunk>{});
    EXPECT_EQ(chunks_of(pool, INT64_MAX, INT64_MAX), (std::set<Chunk>{{0, INT64_MAX}}));
  }
}

/// Floating-point sums a chunk, put together in the order of the chunks.
std::string sum_bytes(int threads) {
  constexpr int64_t kCount = 100003, kGrain = 1000;
  std::vector<float> sums((kCount - 1) / kGrain + 1);
  ThreadPool pool(threads);
  pool.parallel_for(kCount, kGrain, [&](int64_t begin, int64_t end) {
    Rng rng(9, "chunk", static_cast<uint64_t>(begin));
    float& sum = sums[static_cast<std::size_t>(begin / kGrain)];
    for (int64_t i = begin; i < end; ++i) sum += static_cast<float>(rng.normal());
  });
  return {reinterpret_cast<const char*>(sums.data()), sums.size() * sizeof(float)};
}

TEST(ThreadPool, OneTwoAndSevenThreadsGiveTheSameBytes) {
  const std::string one = sum_bytes(1);
  EXPECT_EQ(sum_bytes(2), one);
  EXPECT_EQ(sum_bytes(7), one);
}

TEST(ThreadPool, RethrowsTheLowestChunksExceptionAfterAllEnded) {
  for (const int threads : {1, 2, 7}) {
    ThreadPool pool(threads);
    std::atomic<int> ended{0};
    const auto body = [&](int64_t begin, int64_t) {
      ++ended;
      if (begin >= 3) throw std::runtime_error("chunk " + std::to_string(begin));
    };
    EXPECT_THAT([&] { pool.parallel_for(20, 1, body); },
                testing::ThrowsMessage<std::runtime_error>("chunk 3"));
    EXPECT_EQ(ended, 20);
    EXPECT_EQ(chunks_of(pool, 2, 1).size(), 2u) << "the pool works on";
  }
}

TEST(ThreadPool, ACallWithinABodyRunsOnThatThread) {
  ThreadPool pool(3);
  std::atomic<int64_t> items{0};
  pool.parallel_for(8, 1, [&](int64_t, int64_t) {
    const auto outer = std::this_thread::get_id();
    pool.parallel_for(10, 3, [&](int64_t begin, int64_t end) {
      EXPECT_EQ(std::this_thread::get_id(), outer);
      items += end - begin;
    });
  });
  EXPECT_EQ(items, 80);
}

TEST(ThreadPool, CallsFromTwoThreadsTakeTurns) {
  ThreadPool pool(2);
  std::atomic<int64_t> items{0};
  const auto many = [&] {
    for (int i = 0; i < 200; ++i) pool.parallel_for(10, 1, [&](int64_t, int64_t) { ++items; });
  };
  std::thread other(many);
  many();
  other.join();
  EXPECT_EQ(items, 4000);
}

TEST(ThreadPool, RefusesAnImpossibleGrain) {
  ThreadPool pool(1);
  EXPECT_THAT([&] { pool.parallel_for(1, 0, [](int64_t, int64_t) {}); },
              throws_error(ErrorKind::bug, "grain > 0"));
  EXPECT_GE(available_threads(), 1);
}

}  // namespace
}  // namespace cupel
