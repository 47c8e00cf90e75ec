#include "curate/decisions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::curate {
namespace {

Decision dropped(const std::string& id) {
  Decision decision;
  decision.row = 3;
  decision.input = 1;
  decision.line = 9;
  decision.id = id;
  decision.stage = "format";
  decision.rule = "too_short";
  decision.value = 12;
  decision.threshold = 50;
  decision.failed = {{"too_short", 12, 50}, {"symbols", 0.5, 0.1}};
  return decision;
}

TEST(Decisions, AKeptRowHasEveryFieldOfADroppedOne) {
  Decision decision;
  decision.row = decision.line = 1;
  decision.id = "a\"b";
  EXPECT_EQ(to_line(decision),
            "{\"row\":1,\"input\":0,\"line\":1,\"id\":\"a\\\"b\",\"kept\":true,\"stage\":null,"
            "\"rule\":null,\"value\":null,\"threshold\":null,\"kept_id\":null}\n");
}

TEST(Decisions, SayWhatChangedARowAndWhichEvaluationTextItHolds) {
  Decision decision;
  decision.id = "x";
  decision.edited = {{"pii", "email", 2}, {"pii", "phone", 1}};
  const std::string line = to_line(decision);
  EXPECT_THAT(line, testing::EndsWith(
                        ",\"kept_id\":null,\"edited\":[{\"stage\":\"pii\",\"rule\":\"email\","
                        "\"count\":2},{\"stage\":\"pii\",\"rule\":\"phone\",\"count\":1}]}\n"));
  Decision other = dropped("x");
  other.edited = decision.edited;
  other.evaluation = Witness{"a.jsonl", 3, "the \"words\""};
  const TemporaryFolder folder;
  const auto path = folder.write("decisions.jsonl", line + to_line(other));
  const std::vector<Decision> found = find_decisions(path, "x", 2);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].edited, decision.edited);
  EXPECT_EQ(to_line(found[1]), to_line(other));
  EXPECT_THAT(to_line(other), testing::HasSubstr(",\"evaluation\":{\"file\":\"a.jsonl\",\"line\":3,"
                                                 "\"match\":\"the \\\"words\\\"\"},\"edited\":["));
}

TEST(Decisions, AreFoundAgainByIdAsTheyWereWritten) {
  const TemporaryFolder folder;
  Decision duplicate = dropped("x");
  duplicate.stage = "exact";
  duplicate.rule = "duplicate";
  duplicate.kept_id = "y";
  duplicate.kept_line = 4;
  duplicate.failed = {};
  const auto path =
      folder.write("decisions.jsonl", to_line(dropped("other")) + to_line(dropped("x")) +
                                          to_line(duplicate) + to_line(dropped("x")));
  const std::vector<Decision> found = find_decisions(path, "x", 2);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(to_line(found[0]), to_line(dropped("x")));
  EXPECT_EQ(to_line(found[1]), to_line(duplicate));
  EXPECT_TRUE(found[1].is_duplicate());
  EXPECT_THAT(find_decisions(path, "y", 2), testing::IsEmpty()) << "it only stays for another";
}

TEST(Decisions, ARowOfAnotherProgramIsNamed) {
  const TemporaryFolder folder;
  const auto path = folder.write("decisions.jsonl", "{\"a\":1,\"id\":\"x\",\"b\":2}\n");
  EXPECT_THAT([&] { find_decisions(path, "x", 1); },
              throws_error(ErrorKind::data, "decisions.jsonl:1: missing key \"row\""));
}

}  // namespace
}  // namespace cupel::curate
