#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/config_doc.h"
#include "pipeline/eval.h"
#include "pipeline/report_html.h"
#include "support/markup.h"

namespace cupel::pipeline {
namespace {

using testing::HasSubstr;

/// A task of so many classes, of which the first was taken for the second three times.
eval::Report classified(int classes) {
  eval::Report report;
  eval::TaskReport& task = report.tasks["intents"];
  task = {.metric = "accuracy", .value = 0.9, .interval = {0.8, 0.95}, .n = 40, .majority = 0.125};
  task.classes.emplace();
  for (int i = 0; i < classes; ++i)
    task.classes->push_back({.label = "<" + std::to_string(i), .expected = 10, .right = 7});
  task.mistakes.emplace().push_back({.expected = "<0", .answered = "<1", .rows = 3});
  return report;
}

TEST(ClassesSection, FewClassesMakeAConfusionMatrixAndManyAListOfMistakes) {
  const std::string few = eval_section(to_json(classified(4)));
  EXPECT_EQ(markup_problem(few), "");
  EXPECT_EQ(count_of(few, "<b>7</b>"), 4) << "the diagonal";
  EXPECT_THAT(few, HasSubstr("expected \\ answered"));
  EXPECT_THAT(few, HasSubstr("0.125 (always the same class)"));
  EXPECT_EQ(count_of(few, "<tr>"), 2 + 5 + 5);
  const std::string many = eval_section(to_json(classified(21)));
  EXPECT_EQ(markup_problem(many), "");
  EXPECT_EQ(count_of(many, "<b>7</b>"), 0);
  EXPECT_EQ(count_of(many, "<tr>"), 2 + 22 + 2);
  EXPECT_THAT(many, HasSubstr("&lt;20"));
}

TEST(ClassesSection, ATaskWithoutClassesHasNone) {
  EXPECT_EQ(classes_section("t", json::Object{{"metric", "f1"}}), "");
  EXPECT_EQ(markup_problem(classes_section("t", json::Object{{"classes", json::Array{1}}})), "");
}

}  // namespace
}  // namespace cupel::pipeline
