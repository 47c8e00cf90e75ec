#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/html.h"
#include "pipeline/report_html.h"
#include "support/markup.h"

namespace cupel::pipeline {
namespace {

using testing::HasSubstr;

json::Value report() {
  return json::parse(R"({"input": 1000, "kept": 700, "rejected": 10, "stages": ["format", "exact"],
    "dropped": {"format": 90, "exact": 200},
    "dropped_by_rule": {"exact.duplicate": 200, "format.too_short": 90, "read.json": 10},
    "edited_by_rule": {"pii.email": 7},
    "score": {"invalid_before": 0.25, "residual": 0.03, "valid_lost": 0.01, "recall": {"dup": 0.5}},
    "samples": [{"stage": "exact", "rule": "duplicate", "id": "8", "text": "a <b>", "value": 1,
                 "threshold": 1, "kept_id": "2", "kept_text": "A <b>"},
                {"stage": "decontaminate", "rule": "overlap", "id": "7", "text": "quiz", "value": 1,
                 "threshold": 0.8, "kept_id": "", "evaluation": "set.jsonl:4", "match": "which"},
                {"stage": "format", "rule": "too_short", "id": "9", "text": "hm", "value": 2,
                 "threshold": 50, "kept_id": "", "kept_text": ""}]})",
                     "report");
}

TEST(CurateSection, ShowsWhatIsLeftAfterEachStage) {
  const std::string page = html::page("t", curate_section(report()));
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, HasSubstr("990  99.00 %  −10"));
  EXPECT_THAT(page, HasSubstr("900  90.00 %  −90"));
  EXPECT_THAT(page, HasSubstr("700  70.00 %  −200"));
}

TEST(CurateSection, ShowsRulesScoreAndTheTextsOfAPair) {
  const std::string page = html::page("t", curate_section(report()));
  EXPECT_THAT(page, HasSubstr("format.too_short"));
  EXPECT_THAT(page, HasSubstr("20.00 %"));
  EXPECT_THAT(page, HasSubstr("pii.email"));
  EXPECT_THAT(page, HasSubstr("0.70 %"));
  EXPECT_THAT(page, HasSubstr("0.03"));
  EXPECT_THAT(page, HasSubstr("a &lt;b&gt;"));
  EXPECT_THAT(page, HasSubstr("stays: 2"));
  EXPECT_THAT(page, HasSubstr("holds: set.jsonl:4"));
  EXPECT_THAT(page, HasSubstr("dropped: 9: 2, threshold 50"));
}

TEST(CurateSection, ShowsWhatMeaningDroppedAndHowCloseTheOthersWere) {
  json::Value with_meaning = report();
  with_meaning.set("semantic", json::parse(R"({"encoder": "<tiny>", "mode": "duplicate",
    "similarity": 0.85, "vectors": 620, "references": 20, "pairs": 2000, "pairs_compared": 15,
    "cosines": [{"from": 0.83, "to": 0.85, "kept": 30, "dropped": 0},
                {"from": 0.85, "to": 0.87, "kept": 0, "dropped": 12}]})",
                                           "report"));
  with_meaning.set("dropped", json::Object{{"semantic", 12}});
  const std::string page = html::page("t", curate_section(with_meaning));
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, HasSubstr("By meaning"));
  EXPECT_THAT(page, HasSubstr("&lt;tiny&gt;"));
  EXPECT_THAT(page, HasSubstr("2.00 % of these"));
  EXPECT_THAT(page, HasSubstr("with 20 of earlier corpora"));
  EXPECT_THAT(page, HasSubstr("0.75 %"));
  EXPECT_THAT(page, HasSubstr("0.83 to 0.85: stay 30"));
  EXPECT_THAT(page, HasSubstr("0.85 to 0.87: go 12"));
  EXPECT_THAT(page, HasSubstr("threshold 0.85"));
  EXPECT_THAT(html::page("t", curate_section(report())), testing::Not(HasSubstr("By meaning")));
}

TEST(CurateSection, ShowsHowTheTopicWasToldAndWhatMayMislead) {
  json::Value with_topic = report();
  with_topic.set("topic", json::parse(R"({"fit": 0.7, "balance": 0.99957, "balance_from": "input",
    "auc": 0.998, "calibration_error": 0.02, "reference_lost": 0, "background_kept": 0.25,
    "warning": "the estimate finds <no> background"})",
                                      "report"));
  const std::string page = html::page("t", curate_section(with_topic));
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, HasSubstr("99.96 %"));
  EXPECT_THAT(page, HasSubstr("as estimated from the scores"));
  EXPECT_THAT(page, HasSubstr("25.00 %"));
  EXPECT_THAT(page, HasSubstr("at or below a fit of 0.7"));
  EXPECT_THAT(page, HasSubstr("Note: </strong>\nthe estimate finds &lt;no&gt; background."));
  with_topic.set("topic", json::Object{{"balance_from", "settings"}, {"warning", nullptr}});
  EXPECT_THAT(html::page("t", curate_section(with_topic)),
              testing::AllOf(HasSubstr("as the settings say"), testing::Not(HasSubstr("Note:"))));
}

TEST(CurateSection, TakesAnythingForAReport) {
  for (const char* text :
       {"3", "{}", R"({"stages": 1, "dropped": [], "samples": {}, "score": 2})",
        R"({"semantic": 3, "topic": []})", R"({"semantic": {"cosines": [1, {"from": "x"}]}})",
        R"({"stages": [1, "x"], "dropped_by_rule": {"a": "b"}})"})
    EXPECT_EQ(markup_problem(html::page("t", curate_section(json::parse(text, "r")))), "") << text;
}

}  // namespace
}  // namespace cupel::pipeline
