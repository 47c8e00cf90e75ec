// Stages that change a text, and what holds an evaluation set, through the whole of curate.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "curate/curation.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::curate {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(CurateEdits, MaskedRowsStayMarkedAndAreComparedAsMasked) {
  const TemporaryFolder folder;
  Config config = config_of(
      {folder.write("a.jsonl",
                    "{\"id\": 1, \"text\": \"write to ana@example.org\", \"n\": 1e0 }\n"
                    "{\"id\": 2, \"text\": \"write to bob@example.org\"}\n"
                    "{\"id\": 3, \"text\": \"gold and silver\"}\n"),
       folder.write("b.csv", "text,id\nsent by way of 192.168.10.24 and eve@example.org,z\n")});
  config.pii = {{"email", "ipv4"}, PiiAction::mask};
  const Result result = curate(config, folder / "run");
  EXPECT_EQ(result.kept,
            "{\"id\": 1, \"text\": \"write to [EMAIL]\", \"n\": 1e0,\"edited\":true }\n"
            "{\"id\": 3, \"text\": \"gold and silver\"}\n"
            "{\"text\":\"sent by way of [IPV4] and [EMAIL]\",\"id\":\"z\",\"edited\":true}\n");
  EXPECT_EQ(result.report.dropped.at("exact"), 1);
  EXPECT_EQ(result.report.dropped.at("pii"), 0);
  EXPECT_EQ(result.report.edited, 2);
  EXPECT_THAT(result.report.edited_by_rule,
              testing::ElementsAre(testing::Pair("pii.email", 2), testing::Pair("pii.ipv4", 1)));
  EXPECT_THAT(result.decisions,
              HasSubstr("\"id\":\"1\",\"kept\":true,\"stage\":null,\"rule\":null,\"value\":null,"
                        "\"threshold\":null,\"kept_id\":null,\"edited\":[{\"stage\":\"pii\","
                        "\"rule\":\"email\",\"count\":1}]}\n"));
  const Result again = curate(config, folder / "run-3", 3);
  EXPECT_EQ(again.kept, result.kept);
  EXPECT_EQ(again.decisions, result.decisions);
}

TEST(CurateEdits, ARepeatedPassageIsCutAfterDuplicatesWereDropped) {
  const TemporaryFolder folder;
  const std::string notice =
      "All rights to this article are reserved by the publisher, and no part of it may be copied "
      "without written leave.";
  Config config = config_of({folder.write(
      "a.jsonl", "{\"id\": \"a\", \"text\": \"The heart is a muscle. " + notice + "\"}\n" +
                     "{\"id\": \"b\", \"text\": \"" + notice + " The liver has two lobes.\"}\n" +
                     "{\"id\": \"c\", \"text\": \"No. " + notice + " End.\"}\n")});
  config.format = FormatConfig{10, 1000};
  config.dedup.near.reset();
  config.dedup.substring = SubstringConfig{};
  const Result result = curate(config, folder / "run");
  EXPECT_EQ(result.kept,
            "{\"id\": \"a\", \"text\": \"The heart is a muscle. " + notice + "\"}\n" +
                "{\"id\": \"b\", \"text\": \"The liver has two lobes.\",\"edited\":true}\n");
  EXPECT_EQ(result.report.dropped.at("substring"), 1);
  EXPECT_EQ(result.report.edited_by_rule.at("substring.repeat"), 1);
  EXPECT_EQ(result.report.stages, (std::vector<std::string>{"format", "exact", "substring"}));
  EXPECT_EQ(result.report.passes, 5);
  EXPECT_THAT(
      result.decisions,
      HasSubstr("\"stage\":\"substring\",\"rule\":\"too_short\",\"value\":8.0,\"threshold\":"
                "10.0,\"kept_id\":\"a\",\"kept_input\":0,\"kept_line\":1}\n"));
  const Result again = curate(config, folder / "run-3", 3);
  EXPECT_EQ(again.kept, result.kept);
  EXPECT_EQ(again.decisions, result.decisions);
}

TEST(CurateEdits, ARowThatHoldsAnEvaluationTextIsDroppedAndItsPlaceNamed) {
  const TemporaryFolder folder;
  const auto set = folder.write(
      "set.jsonl",
      "{\"question\": \"Which organ of the body pumps blood through all of the vessels of a grown "
      "man?\", \"answer\": \"heart\"}\n{\"question\": \"And why?\"}\n");
  Config config = config_of({folder.write(
      "a.jsonl",
      "{\"text\": \"Quiz: which organ of the body pumps blood through all of the vessels "
      "of a grown man? The heart.\"}\n{\"text\": \"gold and silver\"}\n")});
  config.format = FormatConfig{5, 1000};
  config.decontaminate = DecontaminateConfig{};
  config.decontaminate->files = {{set.string()}};
  const Result result = curate(config, folder / "run");
  EXPECT_EQ(result.kept, "{\"text\": \"gold and silver\"}\n");
  EXPECT_EQ(result.report.dropped_by_rule.at("decontaminate.overlap"), 1);
  EXPECT_EQ(result.report.decontaminate->texts, 1);
  EXPECT_EQ(result.report.decontaminate->left_out, 1);
  ASSERT_EQ(result.report.samples.size(), 1u);
  EXPECT_EQ(result.report.samples[0].evaluation, set.string() + ":1");
  EXPECT_THAT(result.report.samples[0].match, testing::StartsWith("which organ of"));
  EXPECT_THAT(result.decisions, HasSubstr("\"evaluation\":{\"file\":\"" + set.string() +
                                          "\",\"line\":1,\"match\":\"which organ of the body"));
  EXPECT_THAT(read_file(folder / "run" / "manifest.json"), HasSubstr("set.jsonl"));
}

}  // namespace
}  // namespace cupel::curate
