#include "curate/buckets.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "support/files.h"

namespace cupel::curate {
namespace {

TEST(Places, NameSharedBucketsAndTheirLastMembers) {
  const TemporaryFolder folder;
  constexpr int64_t kDocuments = 40, kBlock = 16;
  const auto key = [](int64_t document, int band) {
    return static_cast<uint64_t>(document % (7 + 9 * band)) * 0x9fb21c651e98df25;
  };
  std::vector<uint32_t> first_copy(kDocuments);
  std::iota(first_copy.begin(), first_copy.end(), 0u);
  first_copy[35] = 3;  // a copy: in no bucket
  for (const int64_t memory : {0, 1 << 20}) {
    for (const int threads : {1, 3}) {
      BlockStore store(memory, folder.path());
      Fingerprints all(2, kBlock, store);
      for (int64_t d = 0; d < kDocuments; ++d) all.add({{}, {key(d, 0), key(d, 1)}});
      all.finish();
      ThreadPool pool(threads);
      const Places places(all, first_copy, memory, store, pool, [] {});
      EXPECT_EQ(places.buckets(), (std::vector<uint32_t>{7, 16}));
      std::map<std::pair<int, uint32_t>, std::vector<int64_t>> members;
      for (int64_t begin = 0; begin < kDocuments; begin += kBlock) {
        const int64_t size = std::min(kBlock, kDocuments - begin);
        std::vector<Place> block(static_cast<std::size_t>(2 * size));
        places.read(begin / kBlock, block);
        for (int64_t i = 0; i < 2 * size; ++i) {
          const Place place = block[static_cast<std::size_t>(i)];
          const int band = i >= size;
          const int64_t document = begin + i % size;
          EXPECT_EQ(place.shared(), document != 35);
          if (!place.shared()) continue;
          members[{band, place.bucket()}].push_back(document);
          const int64_t next = document + 7 + 9 * band;
          EXPECT_EQ(place.last(), next >= kDocuments || (next == 35 && next + 7 >= kDocuments));
        }
      }
      EXPECT_EQ(members.size(), 23u);
      for (const auto& [bucket, documents] : members)
        for (const int64_t each : documents)
          EXPECT_EQ(key(each, bucket.first), key(documents[0], bucket.first));
    }
  }
}

std::vector<uint32_t> collected(const BucketLists& lists, Place place, uint32_t from = 0) {
  std::vector<uint32_t> members;
  lists.collect(0, place, from, members);
  return members;
}

TEST(BucketLists, GiveMembersNewestFirstAndReuseTheRoomOfClosedOnes) {
  BucketLists lists({2});
  const Place a{1 << 1}, b{2 << 1};
  for (const uint32_t document : {1u, 4u, 6u}) lists.push(0, a, document);
  lists.push(0, b, 5);
  EXPECT_EQ(collected(lists, a), (std::vector<uint32_t>{6, 4, 1}));
  EXPECT_EQ(collected(lists, a, 4), (std::vector<uint32_t>{6, 4}));
  lists.close(0, a);
  lists.close(0, a);
  EXPECT_EQ(collected(lists, a), std::vector<uint32_t>());
  const int64_t bytes = lists.bytes();
  for (const uint32_t document : {7u, 8u, 9u}) lists.push(0, b, document);
  EXPECT_EQ(collected(lists, b), (std::vector<uint32_t>{9, 8, 7, 5}));
  EXPECT_EQ(lists.bytes(), bytes);
}

}  // namespace
}  // namespace cupel::curate
