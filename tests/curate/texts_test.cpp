#include "curate/texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"

namespace cupel::curate {
namespace {

TEST(KeptTexts, ComeToWorkOnceEachAndAreEnteredInOrder) {
  RowStore rows({});
  rows.begin_file("a.txt");
  const uint16_t dropped = rows.rule_number("format", "too_short");
  for (int64_t i = 0; i < 2 * kPassRows + 10; ++i) {
    const std::string json = "{\"text\":\"" + std::to_string(i) + "\"}";
    rows.add({json, i + 1, -1, nullptr}, i % 3 == 0 ? dropped : uint16_t{0}, 0, 0);
  }
  ParserPool parsers("text", "id", {});
  RunOptions options;
  options.threads = 3;
  cupel::Run run(options);
  std::vector<std::string> slots(kPassRows);
  std::vector<int64_t> entered;
  for_each_kept_text(
      rows, parsers, run, "reading",
      [&](int64_t row, std::size_t slot, std::string_view text) {
        EXPECT_EQ(text, std::to_string(row));
        slots[slot] += text;
      },
      [&](int64_t row, std::size_t slot) {
        EXPECT_EQ(slots[slot], std::to_string(row)) << "one row at a time has the slot";
        slots[slot].clear();
        entered.push_back(row);
      });
  std::vector<int64_t> wanted;
  for (int64_t i = 0; i < rows.size(); ++i) {
    if (i % 3 != 0) wanted.push_back(i);
  }
  EXPECT_EQ(entered, wanted);
}

TEST(KeptTexts, AreNoMoreInHandThanSixtyFourMebibytes) {
  RowStore rows({});
  rows.begin_file("a.txt");
  const uint16_t dropped = rows.rule_number("format", "too_long");
  for (int64_t i = 0; i < 6; ++i) {
    rows.add({"{\"text\":\"a\"}", i + 1, -1, nullptr}, i % 2 == 0 ? dropped : uint16_t{0}, 0, 0);
    RowRecord record = rows.record(i);
    if (record.rule != 0) record.size = 40u << 20;  // it is not read
    rows.set_record(i, record);
  }
  ParserPool parsers("text", "id", {});
  cupel::Run run(RunOptions{});
  std::vector<std::size_t> slots;
  for_each_kept_text(
      rows, parsers, run, "reading", [](int64_t, std::size_t, std::string_view) {},
      [&](int64_t, std::size_t slot) { slots.push_back(slot); });
  EXPECT_EQ(slots, (std::vector<std::size_t>{1, 1, 1}));
}

TEST(KeptTexts, ARowThatHasChangedMeanwhileIsNamed) {
  const TemporaryFolder folder;
  const auto path = folder.write("a.jsonl", "{\"text\":\"a\"}\n");
  RowStore rows({});
  rows.begin_file(path);
  rows.add({"{\"text\":\"a\"}", 1, 0, nullptr}, 0, 0, 0);
  const std::string broken = "{\"text\":\"a\"x";
  FILE* file = std::fopen(path.c_str(), "r+");
  ASSERT_NE(file, nullptr);
  std::fwrite(broken.data(), 1, broken.size(), file);
  std::fclose(file);
  RowFieldParser parser("text", "id", {});
  std::string json;
  RowFields fields;
  EXPECT_THAT([&] { read_fields(rows, rows.record(0), parser, json, fields); },
              throws_error(ErrorKind::data, "a.jsonl:1: the row has changed since"));
}

TEST(TextsOfAFile, AreThoseOfItsFieldAndWhatCannotBeReadIsARejectOfTheRun) {
  const TemporaryFolder folder;
  const auto path =
      folder.write("a.jsonl", "{\"body\":\"gold\"}\n{\"body\":5}\n{\"body\":\"tin\"}\n");
  cupel::Run run({});
  EXPECT_THAT(texts_of({path.string()}, "body", run), testing::ElementsAre("gold", "tin"));
  EXPECT_EQ(run.rejected(), 1);
}

}  // namespace
}  // namespace cupel::curate
