#include "pipeline/validate.h"

#include <gmock/gmock.h>

#include "support/requests.h"

namespace cupel::pipeline {
namespace {

TEST(Validate, CountsTheStagesAndSettingsThatWouldRun) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const Request request =
      request_for(folder, "validate", kTrainSection, {"--train.max_steps=5", "--train.lr=1e-3"});
  const ValidateReport report = validate({}, request);
  EXPECT_THAT(report.stages, testing::ElementsAre("train"));
  EXPECT_EQ(report.settings, 7);
  EXPECT_EQ(report.text(),
            (folder / "recipe.yaml").string() + ": train, 7 settings, nothing wrong\n");
}

}  // namespace
}  // namespace cupel::pipeline
