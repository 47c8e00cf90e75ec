#include "curate/score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"

namespace cupel::curate {
namespace {

/// ids that stay → the score.
Score score_of(const std::string& csv, const std::vector<std::string>& kept) {
  const TemporaryFolder folder;
  Truth truth(folder.write("truth.csv", csv));
  for (const std::string& id : kept) truth.see(id, true);
  return truth.score();
}

constexpr const char* kScoredRows =
    "id,kind,dup_of\n"
    "1,clean,\n2,clean,\n3,clean,\n4,off_domain,\n5,bad_format,\n6,near_dup,1\n7,near_dup,2\n";

TEST(Score, OfAFilterThatKeepsEverythingIsTheInput) {
  const Score score = score_of(kScoredRows, {"1", "2", "3", "4", "5", "6", "7"});
  EXPECT_DOUBLE_EQ(score.invalid_before, 4.0 / 7);
  EXPECT_DOUBLE_EQ(score.residual, 4.0 / 7);
  EXPECT_EQ(score.valid_lost, 0);
  EXPECT_THAT(score.recall,
              testing::ElementsAre(testing::Pair("bad_format", 0), testing::Pair("near_dup", 0),
                                   testing::Pair("off_domain", 0)));
}

TEST(Score, OfAPerfectFilterHasNoResidual) {
  const Score score = score_of(kScoredRows, {"1", "2", "3"});
  EXPECT_EQ(score.residual, 0);
  EXPECT_EQ(score.valid_lost, 0);
  EXPECT_EQ(score.recall.at("near_dup"), 1);
}

TEST(Score, ACopyThatStaysInPlaceOfItsOriginalIsNoLoss) {
  const Score score = score_of(kScoredRows, {"6", "2", "3"});
  EXPECT_EQ(score.residual, 0);
  EXPECT_EQ(score.valid_lost, 0);
  EXPECT_EQ(score.recall.at("near_dup"), 1);
}

TEST(Score, APairOfWhichBothGoIsALostRowAndNoFind) {
  const Score score = score_of(kScoredRows, {"2", "3"});
  EXPECT_DOUBLE_EQ(score.valid_lost, 1.0 / 3);
  EXPECT_DOUBLE_EQ(score.recall.at("near_dup"), 0.5);
}

TEST(Score, SeveralCopiesOfARowMayLeaveOne) {
  const std::string csv = "id,kind,dup_of\n1,valid,\n2,exact_dup,1\n3,exact_dup,1\n";
  EXPECT_EQ(score_of(csv, {"2"}).recall.at("exact_dup"), 1);
  EXPECT_EQ(score_of(csv, {"2"}).residual, 0);
  EXPECT_EQ(score_of(csv, {"1", "3"}).recall.at("exact_dup"), 0.5);
  EXPECT_EQ(score_of(csv, {"1", "3"}).residual, 0.5);
}

TEST(Score, RefusesATruthThatDoesNotFit) {
  EXPECT_THAT([] { score_of(kScoredRows, {"99"}); },
              throws_error(ErrorKind::data, "names no row of the input"));
  EXPECT_THAT([] { score_of("id,kind\n1,clean\n1,clean\n", {}); },
              throws_error(ErrorKind::data, "truth.csv:3: id \"1\" stands twice"));
  EXPECT_THAT([] { score_of("id,label\n1,clean\n", {}); },
              throws_error(ErrorKind::data, "truth.csv:2: no id or no kind"));
  EXPECT_THAT([] { score_of("id,kind,dup_of\n1,exact_dup,7\n", {}); },
              throws_error(ErrorKind::data, "dup_of \"7\" is no id of the file"));
}

}  // namespace
}  // namespace cupel::curate
