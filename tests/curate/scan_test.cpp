#include "curate/scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::curate {
namespace {

RunOptions without_folder(int threads) {
  RunOptions options;
  options.threads = threads;
  return options;
}

std::vector<RowStage> stages() {
  return {
      {"format",
       [](const RowFields& row) -> std::vector<Failure> {
         const auto size = static_cast<double>(row.text.size());
         return size < 3 ? std::vector<Failure>{{"too_short", size, 3}} : std::vector<Failure>{};
       }},
      {"odd", [](const RowFields& row) -> std::vector<Failure> {
         return row.text == "odd" ? std::vector<Failure>{{"odd", 1, 0}} : std::vector<Failure>{};
       }}};
}

TEST(Scan, TheFirstStageThatARowFailsDecides) {
  const TemporaryFolder folder;
  const auto path = folder.write("a.txt", "odd\nhm\ngold\n");
  const std::vector<RowStage> all = stages();
  ParserPool parsers("text", "id", {});
  cupel::Run run(without_folder(2));
  RowStore rows({});
  FirstReject reject;
  scan_file(path, false, {all, parsers, rows, reject, 1 << 20, run});
  ASSERT_EQ(rows.size(), 3);
  EXPECT_EQ(rows.rule(rows.record(0).rule).stage, "odd");
  EXPECT_EQ(rows.rule(rows.record(1).rule).rule, "too_short");
  EXPECT_EQ(rows.record(1).value, 2);
  EXPECT_EQ(rows.record(2).rule, 0);
}

TEST(Scan, LaterStagesSeeWhatAnEarlierOneMadeOfTheText) {
  const TemporaryFolder folder;
  const auto path =
      folder.write("a.jsonl", "{\"text\": \"gold\", \"n\": 1e0}\n{\"text\":\"tin\"}\n");
  std::vector<RowStage> all = stages();
  all.insert(all.begin() + 1,
             RowStage{"swap", {}, [](std::string_view text) -> std::optional<EditedText> {
                        if (text != "gold") return std::nullopt;
                        return EditedText{"odd", {{"swap", "gold", 1}}};
                      }});
  ParserPool parsers("text", "id", {});
  cupel::Run run(without_folder(1));
  RowStore rows({});
  FirstReject reject;
  scan_file(path, false, {all, parsers, rows, reject, 1 << 20, run});
  EXPECT_EQ(rows.rule(rows.record(0).rule).stage, "odd");
  EXPECT_EQ(rows.json(rows.record(0)), "{\"text\": \"odd\", \"n\": 1e0,\"edited\":true}");
  EXPECT_EQ(rows.edits(rows.record(0)), (std::vector<Edit>{{"swap", "gold", 1}}));
  EXPECT_EQ(rows.json(rows.record(1)), "{\"text\":\"tin\"}");
}

TEST(Scan, RowsOfAnEarlierCorpusPassNoStageAndMustBeReadable) {
  const TemporaryFolder folder;
  const std::vector<RowStage> all = stages();
  ParserPool parsers("text", "id", {});
  cupel::Run run(without_folder(1));
  RowStore rows({});
  FirstReject reject;
  const Scan scan{all, parsers, rows, reject, 1 << 20, run};
  scan_file(folder.write("old.txt", "hm\n"), true, scan);
  EXPECT_EQ(rows.record(0).rule, 0);
  EXPECT_THAT([&] { scan_file(folder.write("b.jsonl", "{}\n"), true, scan); },
              throws_error(ErrorKind::data, "b.jsonl:1: field \"text\": missing; name the"));
}

TEST(Scan, GoesOnWithinAFile) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 200; ++i) text += i % 9 == 0 ? "{\n" : "{\"text\":\"gold\"}\n";
  const auto path = folder.write("a.jsonl", text);
  const std::vector<RowStage> all = stages();
  ParserPool parsers("text", "id", {});
  cupel::Run run(without_folder(1));
  RowStore rows({});
  FirstReject reject;
  Scan scan{all, parsers, rows, reject, 500, run};
  int64_t saved = 0;
  scan.poll = [&](int64_t entered) {
    EXPECT_EQ(entered, rows.size()) << "what is entered is in the store";
    saved = entered;
    if (entered > 90) throw Interrupted();
  };
  EXPECT_THROW(scan_file(path, false, scan), Interrupted);
  EXPECT_GT(saved, 90);
  EXPECT_LT(saved, 150);
  scan.poll = [&](int64_t entered) { EXPECT_EQ(entered, rows.size()); };
  scan_file(path, false, scan, saved);
  ASSERT_EQ(rows.size(), 200);
  for (int64_t i = 0; i < 200; ++i) {
    EXPECT_EQ(rows.record(i).line, i + 1);
    EXPECT_EQ(rows.record(i).rule != 0, i % 9 == 0);
  }
}

}  // namespace
}  // namespace cupel::curate
