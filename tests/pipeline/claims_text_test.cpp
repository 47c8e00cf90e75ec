#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/claims.h"

namespace cupel::pipeline::claims {
namespace {

using testing::HasSubstr;

Report sample() {
  Report report{.form = "quick", .claims = {}};
  report.claims.push_back({.id = "learning",
                           .statement = "It learns",
                           .metric = "gain",
                           .value = 0.5,
                           .interval = std::array{0.25, 0.75},
                           .bar = ">= 0.3",
                           .worst = 0.375,
                           .pass = true,
                           .baseline = 0.125,
                           .machine = "a | b"});
  report.claims.push_back(report.claims[0]);
  report.claims[1].pass = false;
  report.claims.push_back({.id = "1.2", .metric = "recall", .value = 0.875});
  report.claims.push_back({.id = "1.1", .metric = "f1", .bar = "> 0", .reason = "skipped: adult"});
  return report;
}

TEST(ClaimsText, SaysWhatIsMetMissedAndSkipped) {
  const std::string text = sample().text();
  EXPECT_THAT(text, HasSubstr("learning gain"));
  EXPECT_THAT(text, HasSubstr("0.5  [0.25, 0.75]"));
  EXPECT_THAT(text, HasSubstr(" 0.375  >= 0.3 "));
  EXPECT_THAT(text, HasSubstr("0.875  –                               –             –\n"));
  EXPECT_THAT(text, HasSubstr(">= 0.3     met\n"));
  EXPECT_THAT(text, HasSubstr(">= 0.3     MISSED\n"));
  EXPECT_THAT(text, HasSubstr("skipped: adult\n"));
}

TEST(ClaimsText, ThePageHasARowAMetricAndASectionAClaim) {
  Claim claim;
  claim.id = "learning";
  claim.statement = "It learns";
  claim.protocol = "learning";
  claim.seeds = {1, 2};
  const std::string page = to_markdown(sample(), {claim});
  EXPECT_THAT(page, HasSubstr("| learning | gain | 0.5 | [0.25, 0.75] | >= 0.3 | 0.125 | met |\n"));
  EXPECT_THAT(page, HasSubstr("| 1.2 | recall | 0.875 | – |  | – | – |\n"));
  EXPECT_THAT(page, HasSubstr("| 1.1 | f1 | – | – | > 0 | – | skipped: adult |\n"));
  EXPECT_THAT(page, HasSubstr("Machine: a \\| b."));
  EXPECT_THAT(page, HasSubstr("## learning\n\nIt learns.\n"));
  EXPECT_THAT(page, HasSubstr("Random seeds: 1, 2."));
}

}  // namespace
}  // namespace cupel::pipeline::claims
