#include "data/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/run.h"
#include "data/read.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::NanSensitiveDoubleEq;

struct Got {
  Table table;
  std::vector<Reject> rejects;
};

Got table_of(const std::string& name, const std::string& bytes) {
  const TemporaryFolder folder;
  Got got;
  got.table = read_table(folder.write(name, bytes), {}, &got.rejects);
  return got;
}

TEST(Table, AColumnOfNumbersIsNumericHoweverTheyAreSpelled) {
  const Table table = table_of("a.csv", "x,y\n1,-2.5\n +3 ,1e-3\n.5,inf\n007,-0\n").table;
  EXPECT_THAT(table.at("x", "").numbers, ElementsAre(1, 3, 0.5, 7));
  EXPECT_THAT(table.at("y", "").numbers, ElementsAre(-2.5, 1e-3, INFINITY, -0.0));
  EXPECT_TRUE(table.at("x", "").texts.empty());
  EXPECT_THAT(table.lines, ElementsAre(2, 3, 4, 5));
}

TEST(Table, WhatIsMissingIsNanInAColumnOfNumbersAndEmptyInOneOfTexts) {
  const Table table = table_of("a.csv", "x,t\n1,a\n,\n  ,b\n").table;
  EXPECT_THAT(table.at("x", "").numbers,
              ElementsAre(1, NanSensitiveDoubleEq(NAN), NanSensitiveDoubleEq(NAN)));
  EXPECT_THAT(table.at("t", "").texts, ElementsAre("a", "", "b"));
}

TEST(Table, OneTextMakesTheWholeColumnTextAsTheFileHasIt) {
  for (const char* odd : {"n/a", "0x10", "1,000", "1 2", "++1", "+-1", "1.2.3", "-"}) {
    const Table table =
        table_of("a.csv", std::string("x\n 1.50\n\n2\n\"") + odd + "\"\n+3\n").table;
    EXPECT_EQ(table.columns[0].type, Column::Type::text) << odd;
    EXPECT_THAT(table.columns[0].texts, ElementsAre(" 1.50", "2", odd, "+3"));
    EXPECT_TRUE(table.columns[0].numbers.empty());
  }
}

TEST(Table, JsonKeepsItsTypesAndTakesMembersInAnyOrder) {
  const Table table =
      table_of("a.jsonl",
               "{\"x\": 1, \"b\": true, \"t\": null}\n{\"t\": \"a\", \"x\": 2.5, \"b\": false}\n")
          .table;
  EXPECT_THAT(table.at("x", "").numbers, ElementsAre(1, 2.5));
  EXPECT_THAT(table.at("b", "").texts, ElementsAre("true", "false"));
  EXPECT_THAT(table.at("t", "").texts, ElementsAre("", "a"));
  EXPECT_EQ(table.columns[1].name, "b") << "columns stand as in the first row";
}

TEST(Table, RowsWithOtherColumnsAreRejected) {
  const Got got =
      table_of("a.jsonl", "{\"x\": 1}\n{\"y\": 1}\n{\"x\": 1, \"y\": 2}\n{}\n{\"x\": 2}\n");
  EXPECT_EQ(got.table.rows(), 2);
  EXPECT_EQ(got.table.rejected, 3);
  ASSERT_EQ(got.rejects.size(), 3u);
  EXPECT_EQ(got.rejects[0].line, 2);
  EXPECT_EQ(got.rejects[0].rule, "columns");
}

TEST(Table, AColumnThatIsNotThereListsThoseThatAre) {
  const Table table = table_of("a.csv", "x,y\n1,2\n").table;
  EXPECT_EQ(table.find("z"), nullptr);
  EXPECT_THAT([&] { table.at("z", "a.csv"); },
              throws_exactly(ErrorKind::data, "a.csv: no column \"z\"; there are: x, y"));
}

}  // namespace
}  // namespace cupel
