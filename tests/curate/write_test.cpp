#include "curate/write.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "support/files.h"

namespace cupel::curate {
namespace {

/// A store with `count` rows of a .txt, every one dropped as too short.
void fill(RowStore& rows, const std::filesystem::path& path, int64_t count) {
  rows.begin_file(path);
  for (int64_t i = 0; i < count; ++i)
    rows.add({"{\"text\":\"hm\"}", i + 1, -1, nullptr}, rows.rule_number("format", "too_short"), 2,
             3);
}

TEST(WriteOutputs, ChoosesTheSameThreeSamplesOfARuleEachTime) {
  const std::vector<RowStage> stages;
  ParserPool parsers("text", "id", {});
  std::vector<std::string> first;
  for (const int threads : {1, 3}) {
    RunOptions options;
    options.threads = threads;
    cupel::Run run(options);
    RowStore rows({});
    fill(rows, "a.txt", 10'000);
    const Report report = write_outputs({stages, parsers, rows, 0, 0, 1}, nullptr, run);
    EXPECT_EQ(report.input, 10'000);
    EXPECT_EQ(report.dropped.at("format"), 10'000);
    std::vector<std::string> ids;
    for (const DropSample& sample : report.samples) ids.push_back(sample.id);
    EXPECT_EQ(ids.size(), 3u);
    if (first.empty()) first = ids;
    EXPECT_EQ(ids, first);
    EXPECT_NE(ids, (std::vector<std::string>{"1", "2", "3"})) << "from the whole of the input";
  }
}

TEST(WriteOutputs, RowsAreCountedFromOneBehindEarlierCorpora) {
  const TemporaryFolder folder;
  const std::vector<RowStage> stages;
  ParserPool parsers("text", "id", {});
  RunOptions options;
  options.folder = folder / "run";
  cupel::Run run(options);
  RowStore rows(run.folder());
  fill(rows, "old.txt", 2);
  fill(rows, "a.txt", 1);
  const Report report = write_outputs({stages, parsers, rows, 1, 2, 1}, nullptr, run);
  EXPECT_EQ(report.input, 1);
  EXPECT_THAT(read_file(folder / "run" / "decisions.jsonl"),
              testing::StartsWith("{\"row\":1,\"input\":0,\"line\":1,"));
}

}  // namespace
}  // namespace cupel::curate
