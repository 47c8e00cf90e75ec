#include "curate/lda.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "support/errors.h"

namespace cupel::curate {
namespace {

constexpr int kTopics = 5, kTermsATopic = 20;
constexpr int32_t kVocabulary = kTopics * kTermsATopic;

/// Documents of one or two of five topics that share no term.
TermDocuments planted(int count, uint64_t seed) {
  Rng rng(seed, "planted topics");
  TermDocuments documents;
  for (int d = 0; d < count; ++d) {
    const uint64_t topics[2] = {rng.below(kTopics), rng.below(kTopics)};
    std::vector<int32_t> terms(40 + rng.below(40));
    for (int32_t& term : terms) {
      const uint64_t topic = topics[rng.below(4) == 0 ? 1 : 0];
      term = static_cast<int32_t>(topic * kTermsATopic + rng.below(kTermsATopic));
    }
    documents.add(terms);
  }
  return documents;
}

std::vector<float> all_probabilities(const LdaModel& model) {
  std::vector<float> values(model.alpha().begin(), model.alpha().end());
  for (int32_t w = 0; w < model.vocabulary(); ++w)
    for (int k = 0; k < model.topics(); ++k) values.push_back(model.probability(w, k));
  return values;
}

TEST(Lda, FindsPlantedTopics) {
  ThreadPool pool(1);
  const LdaModel model =
      LdaModel::fit(planted(300, 1), kVocabulary, {.topics = kTopics, .sweeps = 150}, 3, pool);
  std::vector<int> found;
  for (int k = 0; k < kTopics; ++k) {
    std::vector<double> mass(kTopics);
    for (int32_t w = 0; w < kVocabulary; ++w)
      mass[static_cast<std::size_t>(w / kTermsATopic)] +=
          static_cast<double>(model.probability(w, k));
    const auto best = std::max_element(mass.begin(), mass.end());
    EXPECT_GT(*best, 0.95) << "topic " << k << " is a mixture";
    found.push_back(static_cast<int>(best - mass.begin()));
  }
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(Lda, HasProbabilitiesThatSumToOne) {
  ThreadPool pool(1);
  const LdaModel model =
      LdaModel::fit(planted(50, 1), kVocabulary, {.topics = 7, .sweeps = 5}, 1, pool);
  for (int k = 0; k < 7; ++k) {
    double sum = 0;
    for (int32_t w = 0; w < kVocabulary; ++w) sum += static_cast<double>(model.probability(w, k));
    EXPECT_NEAR(sum, 1, 1e-5);
  }
}

TEST(Lda, IsTheSameForAnyNumberOfThreads) {
  const TermDocuments documents = planted(200, 2);
  const LdaOptions options = {.topics = 33, .sweeps = 35};  // alpha is optimised twice
  ThreadPool one(1);
  const std::vector<float> expected =
      all_probabilities(LdaModel::fit(documents, kVocabulary, options, 5, one));
  for (const int threads : {2, 7}) {
    ThreadPool pool(threads);
    EXPECT_EQ(all_probabilities(LdaModel::fit(documents, kVocabulary, options, 5, pool)), expected)
        << threads << " threads";
  }
  EXPECT_NE(all_probabilities(LdaModel::fit(documents, kVocabulary, options, 6, one)), expected)
      << "another seed gives another sample";
}

TEST(Lda, ExplainsHeldOutDocumentsBetterAfterMoreSweeps) {
  ThreadPool pool(1);
  const TermDocuments documents = planted(300, 1), held_out = planted(50, 9);
  double before = -1e9;
  for (const int sweeps : {1, 10, 100}) {
    const LdaModel model =
        LdaModel::fit(documents, kVocabulary, {.topics = kTopics, .sweeps = sweeps}, 3, pool);
    const double likelihood = model.held_out_likelihood(held_out, pool);
    EXPECT_GT(likelihood, before);
    before = likelihood;
  }
  // A document's entropy: 20 terms of a topic, topics 3 : 1, sometimes the same topic twice.
  EXPECT_GT(before, -std::log(20.0) - 0.6);
  EXPECT_LT(before, -std::log(20.0));
}

TEST(Lda, LearnsThatSomeTopicsAreMoreCommon) {
  Rng rng(1, "uneven topics");
  TermDocuments documents;
  for (int d = 0; d < 400; ++d) {
    const int32_t topic = d % 10 == 0 ? 1 : 0;
    std::vector<int32_t> terms(30);
    for (int32_t& term : terms) term = topic * 20 + static_cast<int32_t>(rng.below(20));
    documents.add(terms);
  }
  ThreadPool pool(1);
  const LdaModel model = LdaModel::fit(documents, 40, {.topics = 2, .sweeps = 100}, 2, pool);
  const int common = model.probability(0, 0) > model.probability(0, 1) ? 0 : 1;
  EXPECT_GT(model.alpha()[static_cast<std::size_t>(common)],
            3 * model.alpha()[static_cast<std::size_t>(1 - common)]);
  const LdaModel even =
      LdaModel::fit(documents, 40, {.topics = 2, .optimize_alpha = false}, 2, pool);
  EXPECT_EQ(even.alpha()[0], 0.1f);
  EXPECT_EQ(even.alpha()[1], 0.1f);
}

TEST(Lda, FoldsADocumentIntoItsTopicWhereverItStands) {
  ThreadPool pool(1);
  const LdaModel model =
      LdaModel::fit(planted(300, 1), kVocabulary, {.topics = kTopics, .sweeps = 150}, 3, pool);
  std::vector<int32_t> document(30);
  for (std::size_t i = 0; i < document.size(); ++i) document[i] = static_cast<int32_t>(60 + i % 20);
  const std::vector<int64_t> counts = model.fold_in(document);
  EXPECT_EQ(counts, model.fold_in(document));
  int64_t total = 0;
  for (const int64_t count : counts) total += count;
  EXPECT_EQ(total, 30 * LdaModel::kFoldInSweeps / 2);
  EXPECT_GT(*std::max_element(counts.begin(), counts.end()), 0.9 * static_cast<double>(total));
  EXPECT_EQ(model.fold_in({}), std::vector<int64_t>(kTopics));
}

TEST(Lda, WithManyTopicsIsTheSameForAnyNumberOfThreads) {
  const TermDocuments documents = planted(200, 2);
  const LdaOptions options = {.topics = 300, .sweeps = 25};
  ThreadPool one(1), two(2);
  EXPECT_EQ(all_probabilities(LdaModel::fit(documents, kVocabulary, options, 5, one)),
            all_probabilities(LdaModel::fit(documents, kVocabulary, options, 5, two)));
}

// 257 are drawn from sparsely, 256 densely: two samplers of the same distribution.
TEST(Lda, WithManyTopicsExplainsHeldOutDocumentsAsADenseSweepDoes) {
  ThreadPool pool(2);
  const TermDocuments documents = planted(400, 1), others = planted(100, 9);
  const auto likelihood = [&](int topics) {
    return LdaModel::fit(documents, kVocabulary, {.topics = topics, .sweeps = 60}, 3, pool)
        .held_out_likelihood(others, pool);
  };
  EXPECT_NEAR(likelihood(257), likelihood(256), 0.03);
}

TEST(Lda, TakesDocumentsWithoutTerms) {
  ThreadPool pool(2);
  TermDocuments documents;
  for (int i = 0; i < 3; ++i) documents.add({});
  const LdaModel model = LdaModel::fit(documents, 4, {.topics = 3, .sweeps = 30}, 1, pool);
  EXPECT_NEAR(static_cast<double>(model.probability(0, 0)), 0.25, 1e-6);
  EXPECT_EQ(model.held_out_likelihood(documents, pool), 0);
}

TEST(Lda, RefusesMoreTopicsThanItsNumbersHold) {
  ThreadPool pool(1);
  EXPECT_THAT([&] { LdaModel::fit({}, 1, {.topics = kMaxLdaTopics + 1}, 1, pool); },
              throws_error(ErrorKind::bug, "kMaxLdaTopics"));
}

// Holds for every machine and, as the tests are run with each CUPEL_ISA, every kernel row.
TEST(Lda, IsTheSameToTheBitOnEveryMachine) {
  ThreadPool pool(1);
  const std::vector<float> values = all_probabilities(
      LdaModel::fit(planted(100, 2), kVocabulary, {.topics = 33, .sweeps = 35}, 5, pool));
  const std::string_view bytes(reinterpret_cast<const char*>(values.data()), 4 * values.size());
  EXPECT_EQ(hash64(bytes), 15287115005967363022u);
}

TEST(Lda, EndsWhenAskedTo) {
  ThreadPool pool(1);
  int calls = 0;
  const auto poll = [&] {
    if (++calls == 3) throw Interrupted();
  };
  EXPECT_THROW(LdaModel::fit(planted(10, 1), kVocabulary, {.topics = 2}, 1, pool, poll),
               Interrupted);
  EXPECT_EQ(calls, 3);
}

}  // namespace
}  // namespace cupel::curate
