#include "curate/row_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "support/errors.h"
#include "support/files.h"

namespace cupel::curate {
namespace {

TEST(RowStore, ReadsRowsFromTheirFileOrFromWhatItKept) {
  const TemporaryFolder folder;
  const auto plain = folder.write("a.jsonl", "{\"text\":\"a\"}\n{\"text\":\"bc\"}\n");
  RowStore rows(folder.path());
  rows.begin_file(plain);
  EXPECT_EQ(rows.add({"{\"text\":\"bc\"}", 2, 13, nullptr}, 0, 0, 0), 0);
  rows.begin_file(folder / "b.csv");
  EXPECT_EQ(rows.add({"{\"text\":\"d\"}", 2, -1, nullptr}, 0, 0, 0), 1);
  EXPECT_EQ(rows.add({"{\"text\":\"ef\"}", 3, -1, nullptr}, 0, 0, 0), 2);
  EXPECT_EQ(rows.json(rows.record(0)), "{\"text\":\"bc\"}");
  EXPECT_EQ(rows.json(rows.record(1)), "{\"text\":\"d\"}");
  EXPECT_EQ(rows.json(rows.record(2)), "{\"text\":\"ef\"}");
  EXPECT_EQ(rows.record(2).line, 3);
  EXPECT_EQ(rows.record(2).file, 1);
}

TEST(RowStore, ARecordCanBeChangedAndReadWithItsNeighbours) {
  const TemporaryFolder folder;
  RowStore rows(folder.path());
  rows.begin_file(folder / "b.csv");
  for (int64_t i = 0; i < 50'000; ++i) rows.add({"{}", i + 1, -1, nullptr}, 0, 0, 0);
  RowRecord record = rows.record(17);
  record.rule = rows.rule_number("exact", "duplicate");
  record.kept = 3;
  rows.set_record(17, record);
  const std::vector<RowRecord> some = rows.records(16, 3);
  EXPECT_EQ(some[0].kept, -1);
  EXPECT_EQ(some[1].kept, 3);
  EXPECT_EQ(some[2].line, 19);
  EXPECT_EQ(rows.rule(some[1].rule).stage, "exact");
}

TEST(RowStore, GoesOnFromWhatWasSaved) {
  const TemporaryFolder folder;
  RowStore rows(folder.path());
  rows.begin_file("b.csv");
  rows.add({"{\"text\":\"d\"}", 2, -1, nullptr}, rows.rule_number("format", "x"), 1, 2);
  const RowStore::Saved saved = rows.save(folder.path());
  rows.add({"{\"text\":\"lost\"}", 3, -1, nullptr}, 0, 0, 0);
  RowRecord record = rows.record(0);
  record.kept = 7;
  rows.set_record(0, record);
  RowStore other(folder.path());
  ASSERT_TRUE(other.load(folder.path(), saved));
  other.begin_file("b.csv");
  EXPECT_EQ(other.size(), 1);
  EXPECT_EQ(other.record(0).kept, -1) << "as it was saved";
  EXPECT_EQ(other.rule(other.record(0).rule).rule, "x");
  other.add({"{\"text\":\"e\"}", 3, -1, nullptr}, 0, 0, 0);
  EXPECT_EQ(other.json(other.record(0)), "{\"text\":\"d\"}");
  EXPECT_EQ(other.json(other.record(1)), "{\"text\":\"e\"}");
  RowStore::Saved wrong = saved;
  wrong.records_sha256[0] ^= 1;
  EXPECT_FALSE(RowStore(folder.path()).load(folder.path(), wrong));
}

TEST(RowStore, AnEditedRowIsReadAsItsLastEditLeftIt) {
  const TemporaryFolder folder;
  const auto plain = folder.write("a.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n");
  RowStore rows(folder.path());
  rows.begin_file(plain);
  rows.add({"{\"text\":\"a\"}", 1, 0, nullptr}, 0, 0, 0);
  rows.add({"{\"text\":\"b\"}", 2, 13, nullptr}, 0, 0, 0);
  EXPECT_TRUE(rows.edits(rows.record(0)).empty());
  rows.edit(0, "{\"text\":\"first\"}", {{"pii", "email", 2}});
  rows.edit(1, "{}", {{"pii", "phone", 1}, {"pii", "email", 3}});
  rows.edit(0, "{\"text\":\"second\"}", {{"substring", "repeat", 1}});
  EXPECT_EQ(rows.json(rows.record(0)), "{\"text\":\"second\"}");
  EXPECT_EQ(rows.json(rows.record(1)), "{}");
  EXPECT_EQ(rows.edits(rows.record(0)),
            (std::vector<Edit>{{"pii", "email", 2}, {"substring", "repeat", 1}}));
  EXPECT_EQ(rows.edits(rows.record(1)),
            (std::vector<Edit>{{"pii", "phone", 1}, {"pii", "email", 3}}));
  EXPECT_EQ(rows.record(0).line, 1);
}

TEST(RowStore, ARuleHasOneNumberAStage) {
  RowStore rows({});
  EXPECT_EQ(rows.rule_number("format", "too_short"), 1);
  EXPECT_EQ(rows.rule_number("read", "too_short"), 2);
  EXPECT_EQ(rows.rule_number("format", "too_short"), 1);
}

TEST(RowStore, AFileCutShortMeanwhileIsAnErrorThatNamesTheLine) {
  const TemporaryFolder folder;
  const auto path = folder.write("a.jsonl", "{\"text\":\"a\"}\n");
  RowStore rows(folder.path());
  rows.begin_file(path);
  rows.add({"{\"text\":\"a\"}", 1, 0, nullptr}, 0, 0, 0);
  std::filesystem::resize_file(path, 5);
  EXPECT_THAT([&] { rows.json(rows.record(0)); },
              throws_error(ErrorKind::data, "a.jsonl:1: the file was cut short"));
}

}  // namespace
}  // namespace cupel::curate
