#include "base/log.h"

#include <gtest/gtest.h>

#include <thread>

#include "support/files.h"

namespace cupel {
namespace {

using Names = std::vector<std::string>;

TEST(RunLog, AFileAppearsWithItsFirstLine) {
  const TemporaryFolder folder;
  RunLog log(folder.path());
  EXPECT_EQ(folder.names(), Names{});
  log.text(LogLevel::debug, "a \"quoted\"\nline", 2.5);
  log.sync();
  EXPECT_EQ(folder.names(), Names{"log.jsonl"});
  EXPECT_EQ(read_file(folder / "log.jsonl"),
            "{\"time\":2.5,\"level\":\"debug\",\"text\":\"a \\\"quoted\\\"\\nline\"}\n");
}

TEST(RunLog, AReaderSeesALineWithinASecond) {
  const TemporaryFolder folder;
  RunLog log(folder.path());
  log.metric("loss", 1, 1, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  log.metric("loss", 2, 1, 0);
  EXPECT_EQ(read_file(folder / "metrics.jsonl").size(), 2 * 48u);
}

TEST(RunLog, CutsMetricsOnlyWhereThereAreAny) {
  const TemporaryFolder folder;
  RunLog log(folder.path());
  log.cut_metrics(0);
  EXPECT_EQ(folder.names(), Names{});
  log.metric("loss", 1, 1, 0);
  log.cut_metrics(0);
  EXPECT_EQ(log.sync_metrics(), 0);
}

TEST(RunLog, RowsRejectedBeforeAreKnownAfterACrashInMidLine) {
  const TemporaryFolder folder;
  folder.write(
      "rejects.jsonl",
      "{\"input\":\"a\",\"line\":1,\"rule\":\"utf8\",\"text\":\"\"}\n{\"input\":\"a\",\"li");
  RunLog log(folder.path());
  EXPECT_EQ(log.rejected(), 1);
  log.reject({"a", 1, "utf8", ""});
  log.reject({"a", 2, "utf8", ""});
  EXPECT_EQ(log.rejected(), 2);
  log.sync();
  EXPECT_EQ(read_file(folder / "rejects.jsonl"),
            "{\"input\":\"a\",\"line\":1,\"rule\":\"utf8\",\"text\":\"\"}\n"
            "{\"input\":\"a\",\"line\":2,\"rule\":\"utf8\",\"text\":\"\"}\n");
}

TEST(RunLog, RowsThatShareALineAreKeptApartAndStillKnownAfterAResume) {
  const TemporaryFolder folder;
  const Reject first{"a.json", 1, "utf8", "one \xff"}, second{"a.json", 1, "utf8", "two"};
  {
    RunLog log(folder.path());
    for (const Reject& row : {first, second}) log.reject(row);
  }
  RunLog log(folder.path());
  for (const Reject& row : {first, second}) log.reject(row);
  EXPECT_EQ(log.rejected(), 2);
}

}  // namespace
}  // namespace cupel
