#include "curate/grouping.h"

#include <gtest/gtest.h>

#include <map>

#include "base/rng.h"

namespace cupel::curate {
namespace {

using Groups = std::map<uint64_t, std::vector<uint32_t>>;

TEST(ForEachGroup, FindsTheSameGroupsWhateverItsCapacity) {
  Rng rng(4, "keys");
  std::vector<uint64_t> keys(3000);
  for (uint64_t& key : keys) {
    key = rng.below(900) * 0x9fb21c651e98df25;   // spread over the upper bits, shared by some
    if (rng.below(10) == 0) key = rng.below(2);  // and some that many share, side by side
  }
  Groups expected;
  for (uint32_t i = 0; i < keys.size(); ++i) expected[keys[i]].push_back(i);
  std::erase_if(expected, [](const auto& group) { return group.second.size() < 2; });
  for (const int64_t capacity : {0, 10, 1000, 100000}) {
    Groups found;
    int scans = 0;
    for_each_group<uint64_t>(
        [&](const auto& take) {
          ++scans;
          for (uint32_t i = 0; i < keys.size(); ++i) take(i, keys[i]);
        },
        capacity,
        [&](std::span<const KeyOf<uint64_t>> members) {
          EXPECT_FALSE(found.contains(members[0].key));
          for (const auto& member : members) found[member.key].push_back(member.document);
        });
    EXPECT_EQ(found, expected) << capacity;
    EXPECT_EQ(scans == 2, capacity == 100000) << scans;
  }
}

TEST(ForEachGroup, TellsHashesThatShareTheirUpperHalfApart) {
  const std::vector<Hash128> keys = {{5, 1}, {5, 2}, {5, 1}};
  std::vector<uint32_t> members;
  for_each_group<Hash128>(
      [&](const auto& take) {
        for (uint32_t i = 0; i < keys.size(); ++i) take(i, keys[i]);
      },
      100,
      [&](std::span<const KeyOf<Hash128>> group) {
        for (const auto& each : group) members.push_back(each.document);
      });
  EXPECT_EQ(members, (std::vector<uint32_t>{0, 2}));
}

}  // namespace
}  // namespace cupel::curate
