#include "curate/fingerprints.h"

#include <gtest/gtest.h>

#include <string>

#include "support/files.h"

namespace cupel::curate {
namespace {

TEST(Fingerprints, GiveEachColumnInOrderFromMemoryAndFromDisk) {
  const TemporaryFolder folder;
  for (const int64_t memory : {0, 200, 1 << 20}) {
    for (const int64_t documents : {0, 1, 4, 11}) {
      BlockStore store(memory, folder.path());
      Fingerprints all(/*bands=*/2, /*block_documents=*/4, store);
      for (uint64_t d = 0; d < static_cast<uint64_t>(documents); ++d)
        all.add({{d, d + 1}, {10 * d, 10 * d + 1}});
      all.finish();
      EXPECT_EQ(all.documents(), documents);
      int64_t seen = 0;
      all.scan_texts([&](int64_t first, std::span<const Hash128> texts) {
        EXPECT_EQ(first, seen);
        for (const Hash128& text : texts) EXPECT_EQ(text.high, static_cast<uint64_t>(seen++));
      });
      EXPECT_EQ(seen, documents);
      for (const int band : {0, 1}) {
        uint64_t at = 0;
        all.scan_band(band, [&](int64_t, std::span<const uint64_t> keys) {
          for (const uint64_t key : keys) EXPECT_EQ(key, 10 * at++ + static_cast<uint64_t>(band));
        });
        EXPECT_EQ(at, static_cast<uint64_t>(documents));
      }
      EXPECT_EQ(store.spilled_bytes() > 0,
                memory == 0 ? documents > 0 : memory == 200 && documents > 4);
    }
  }
}

TEST(Fingerprints, GiveTheMemoryOfADroppedColumnBack) {
  BlockStore store(32, "/no/such/folder");
  Fingerprints all(1, 1, store);
  all.add({{1, 2}, {3}});
  all.finish();
  all.drop_texts();
  const uint64_t more[2] = {};
  store.put(std::as_bytes(std::span(more)));
  EXPECT_EQ(store.spilled_bytes(), 0);
  all.scan_band(0, [](int64_t, std::span<const uint64_t> keys) { EXPECT_EQ(keys[0], 3u); });
}

}  // namespace
}  // namespace cupel::curate
