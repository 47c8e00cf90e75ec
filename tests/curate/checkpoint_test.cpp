#include "curate/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/atomic_file.h"
#include "support/files.h"

namespace cupel::curate {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

RunOptions options_in(const fs::path& folder) {
  RunOptions options;
  options.folder = folder;
  options.threads = 1;
  options.resume = true;
  return options;
}

void add_rows(RowStore& rows, int64_t count) {
  rows.begin_file("a.txt");
  const uint16_t rule = rows.rule_number("format", "too_short");
  for (int64_t i = 0; i < count; ++i) {
    rows.add({"{\"text\":\"" + std::to_string(i) + "\"}", i + 1, -1, nullptr},
             i % 3 == 0 ? rule : uint16_t{0}, 0.1 * static_cast<double>(i), 5);
  }
}

TEST(CurateCheckpoint, GivesBackRowsAndProgress) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  {
    cupel::Run run(options_in(folder / "run"));
    RowStore rows(run.folder());
    Progress progress;
    Checkpoint checkpoint(0, rows, progress, run);
    EXPECT_FALSE(checkpoint.load()) << "a run that has saved nothing";
    add_rows(rows, 100);
    progress.passes = 2;
    progress.rows_of_file = 100;
    progress.first_reject = {"a \"b\".txt:3", "field \"text\": missing"};
    progress.topic.emplace();
    progress.topic->auc = 0.1 + 0.2;
    progress.topic->definition = "a: b, #c";
    checkpoint.save();
    add_rows(rows, 5);  // not saved
  }
  cupel::Run run(options_in(folder / "run"));
  RowStore rows(run.folder());
  Progress progress;
  Checkpoint checkpoint(0, rows, progress, run);
  ASSERT_TRUE(checkpoint.load());
  rows.begin_file("a.txt");
  EXPECT_EQ(rows.size(), 100);
  EXPECT_EQ(rows.json(rows.record(99)), "{\"text\":\"99\"}");
  EXPECT_EQ(rows.record(7).value, 0.1 * 7);
  EXPECT_EQ(rows.rule(rows.record(99).rule).rule, "too_short");
  EXPECT_EQ(progress.passes, 2);
  EXPECT_EQ(progress.rows_of_file, 100);
  EXPECT_EQ(progress.first_reject.where, "a \"b\".txt:3");
  ASSERT_TRUE(progress.topic);
  EXPECT_EQ(progress.topic->auc, 0.1 + 0.2);
  EXPECT_EQ(progress.topic->definition, "a: b, #c");
  add_rows(rows, 1);
  EXPECT_EQ(rows.json(rows.record(100)), "{\"text\":\"0\"}");
  checkpoint.remove();
  EXPECT_THAT(folder.names(), testing::Not(testing::Contains(HasSubstr("checkpoint"))));
}

TEST(CurateCheckpoint, ThatIsDamagedIsPassedOverAndLogged) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const fs::path saved = folder / "run" / "checkpoint-curate";
  for (const std::string damage : {"rows.bin", "spool.bin", "state.json", "format"}) {
    fs::remove_all(folder / "run");
    {
      cupel::Run run(options_in(folder / "run"));
      RowStore rows(run.folder());
      Progress progress;
      add_rows(rows, 100);
      Checkpoint(0, rows, progress, run).save();
    }
    if (damage == "format") {
      std::string state = read_file(saved / "state.json");
      write_file_atomically(saved / "state.json",
                            state.replace(state.find("\"format\": 1"), 11, "\"format\": 9"));
    } else {
      std::string bytes = read_file(saved / damage);
      if (damage == "rows.bin") bytes[50] ^= 1;
      if (damage != "rows.bin") bytes.resize(bytes.size() / 2);
      write_file_atomically(saved / damage, bytes);
    }
    cupel::Run run(options_in(folder / "run"));
    std::string logged;
    run.subscribe([&](const Event& event) { logged += event.text; });
    RowStore rows(run.folder());
    Progress progress;
    EXPECT_FALSE(Checkpoint(0, rows, progress, run).load()) << damage;
    EXPECT_EQ(rows.size(), 0) << damage;
    EXPECT_THAT(logged, HasSubstr("checkpoint-curate is passed over, and the run begins again"));
  }
}

TEST(CurateCheckpoint, KeepsTheRejectsThatAResumedRunDoesNotMeetAgain) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  cupel::Run run(options_in(folder / "run"));
  RowStore rows(run.folder());
  Progress progress;
  run.reject({"a.txt", 3, "json", "{"});
  Checkpoint(0, rows, progress, run).save();
  EXPECT_THAT(read_file(folder / "run" / "rejects.jsonl"), HasSubstr("\"line\":3"));
}

TEST(CurateCheckpoint, IsNotMadeBeforeItsTimeNorInARunWithoutAFolder) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  cupel::Run run(options_in(folder / "run"));
  RowStore rows(run.folder());
  Progress progress;
  Checkpoint rare(1e6, rows, progress, run);
  rare.save_if_due();
  rare.save_pass();
  EXPECT_FALSE(fs::exists(folder / "run" / "checkpoint-curate"));
  Checkpoint often(0, rows, progress, run);
  often.save_if_due();
  EXPECT_TRUE(fs::exists(folder / "run" / "checkpoint-curate"));
  cupel::Run nowhere(RunOptions{});
  Checkpoint none(0, rows, progress, nowhere);
  none.save();
  EXPECT_FALSE(none.load());
}

}  // namespace
}  // namespace cupel::curate
