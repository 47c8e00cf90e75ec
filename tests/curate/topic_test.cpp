#include "curate/topic.h"

#include <gtest/gtest.h>

#include "curate/topic_texts.h"
#include "support/errors.h"

namespace cupel::curate {
namespace {

TopicConfig settings(TopicScore score) {
  return {.reference = {"body.txt"},
          .background = {"money.txt"},
          .score = score,
          .topics = 4,
          .sweeps = 30};
}

class TopicFit : public testing::TestWithParam<TopicScore> {
 protected:
  std::vector<std::string> reference = texts_about(kBody, 60, 1);
  std::vector<std::string> background = texts_about(kMoney, 90, 2);
  TopicConfig config = settings(GetParam());

  TopicModel fit(int threads = 1, uint64_t seed = 1) const {
    ThreadPool pool(threads);
    return TopicModel::fit(reference, background, config, seed, pool);
  }
};

TEST_P(TopicFit, IsAboveTheThresholdForTheDomainAlone) {
  const TopicModel model = fit();
  for (const std::string& text : texts_about(kBody, 30, 3))
    EXPECT_GT(model.probability(text), 0.7) << text;
  for (const std::string& text : texts_about(kMoney, 30, 4))
    EXPECT_LT(model.probability(text), 0.3) << text;
}

TEST_P(TopicFit, IsTheSameForAnyNumberOfThreads) {
  const TopicModel expected = fit(1);
  const std::vector<std::string> texts = texts_about(kBody, 10, 5);
  for (const int threads : {2, 7}) {
    const TopicModel model = fit(threads);
    EXPECT_EQ(model.report().auc, expected.report().auc);
    EXPECT_EQ(model.report().reference_lost, expected.report().reference_lost);
    for (const std::string& text : texts)
      EXPECT_EQ(model.probability(text), expected.probability(text)) << threads << " threads";
  }
}

TEST_P(TopicFit, TakesTheBalanceFromSettingsOrFromTheInput) {
  TopicModel open = fit();
  EXPECT_EQ(open.balance(), 0.5);
  std::vector<double> scores;
  for (const std::string& text : texts_about(kBody, 45, 6)) scores.push_back(open.score(text));
  for (const std::string& text : texts_about(kMoney, 5, 7)) scores.push_back(open.score(text));
  open.estimate_balance(scores);
  EXPECT_NEAR(open.balance(), 0.9, 0.02);
  EXPECT_EQ(open.report().balance_from, "input");

  config.balance = 0.2;
  TopicModel given = fit();
  given.estimate_balance(scores);
  EXPECT_EQ(given.balance(), 0.2);
  EXPECT_EQ(given.report().balance_from, "settings");
  EXPECT_LT(given.probability(reference[0]), open.probability(reference[0]));
}

TEST_P(TopicFit, ReportsWhatItMeansAndHowWellItTellsHeldOutTextsApart) {
  const TopicReport report = fit().report();
  EXPECT_EQ(report.score, name_of(GetParam()));
  EXPECT_EQ(report.reference_documents, 60);
  EXPECT_EQ(report.background_documents, 90);
  EXPECT_GT(report.auc, 0.99);
  EXPECT_LT(report.calibration_error, 0.05);
  EXPECT_LT(report.reference_lost, 0.05);
  EXPECT_LT(report.background_kept, 0.05);
}

TEST_P(TopicFit, FindsNoDifferenceWhereThereIsNone) {
  background = texts_about(kBody, 90, 8);
  const TopicModel model = fit();
  const double auc = model.report().auc;
  EXPECT_GT(auc, 0.3);
  EXPECT_LT(auc, 0.7);
}

// The same subject, so nothing but a copy that was learned from could tell them apart.
TEST_P(TopicFit, NeverScoresACopyOfWhatItLearnedFrom) {
  const auto five_times = [](std::vector<std::string> texts) {
    const std::vector<std::string> once = texts;
    for (int i = 0; i < 4; ++i) texts.insert(texts.end(), once.begin(), once.end());
    return texts;
  };
  reference = five_times(texts_about(kBody, 20, 1));
  background = five_times(texts_about(kBody, 20, 8));
  EXPECT_LT(fit().report().auc, 0.8);
}

TEST_P(TopicFit, NeedsTwoDocumentsAFold) {
  reference.resize(9);
  EXPECT_THAT([&] { fit(); },
              throws_exactly(ErrorKind::data,
                             "body.txt: has 9 documents, where 5 folds need 10; give more "
                             "documents or lower folds"));
}

TEST_P(TopicFit, EndsWhenAskedTo) {
  ThreadPool pool(1);
  EXPECT_THROW(TopicModel::fit(reference, background, config, 1, pool, [] { throw Interrupted(); }),
               Interrupted);
}

INSTANTIATE_TEST_SUITE_P(, TopicFit, testing::Values(TopicScore::lda, TopicScore::ngram),
                         [](const auto& score) { return std::string(name_of(score.param)); });

}  // namespace
}  // namespace cupel::curate
