#include "data/ngram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

#include "base/error.h"

namespace cupel {
namespace {

using Ids = std::vector<int32_t>;
constexpr int32_t kVocabulary = 200;

/// Ids with structure: seven times in ten the next one follows from the last two, else it is drawn
/// with small ids more frequent, so that rare and frequent n-grams of every order occur.
Ids text(uint64_t seed, int length) {
  Ids ids = {0, 1};
  uint64_t state = seed;
  const auto uniform = [&state] {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state >> 11) * 0x1p-53;
  };
  while (static_cast<int>(ids.size()) < length) {
    const int32_t last = ids.back(), before = ids[ids.size() - 2];
    const bool follows = uniform() < 0.7;
    const auto drawn = static_cast<int32_t>(kVocabulary * std::pow(uniform(), 6));
    ids.push_back(follows ? (7 * last + 3 * (before % 2)) % kVocabulary : drawn);
  }
  return ids;
}

/// The formula written down once more, with maps and no thought of speed.
class Oracle {
 public:
  Oracle(const std::vector<Ids>& sequences, int order) : counts_(static_cast<size_t>(order) + 1) {
    for (const Ids& sequence : sequences) {
      Ids padded(static_cast<size_t>(order - 1), -1);
      padded.insert(padded.end(), sequence.begin(), sequence.end());
      for (auto at = padded.begin(); at + order <= padded.end(); ++at) {
        ++counts_.back()[Ids(at, at + order)];
      }
    }
    for (size_t k = counts_.size() - 2; k >= 1; --k) {
      for (const auto& [gram, count] : counts_[k + 1])
        ++counts_[k][Ids(gram.begin() + 1, gram.end())];
    }
    set_discounts();
  }

  double probability(const Ids& context, int32_t token) const {
    if (context.size() + 1 > counts_.size() - 1) return 0;
    double total = 0, taken = 0, own = 0;
    for (const auto& [gram, count] : counts_[context.size() + 1]) {
      if (!std::equal(context.begin(), context.end(), gram.begin())) continue;
      total += count;
      taken += discount(context.size() + 1, count);
      if (gram.back() == token) own = count - discount(context.size() + 1, count);
    }
    const double lower = context.empty()
                             ? 1.0 / kVocabulary
                             : probability(Ids(context.begin() + 1, context.end()), token);
    return total == 0 ? lower : own / total + taken / total * lower;
  }

  double discount(size_t k, int count) const {
    return discounts_[k][static_cast<size_t>(std::min(count, 3))];
  }

 private:
  void set_discounts() {
    for (size_t k = 1; k < counts_.size(); ++k) {
      std::array<double, 5> n{};
      for (const auto& [gram, times] : counts_[k]) {
        if (times <= 4) ++n[static_cast<size_t>(times)];
      }
      const double y = n[1] / (n[1] + 2 * n[2]);
      discounts_.push_back(
          {0, 1 - 2 * y * n[2] / n[1], 2 - 3 * y * n[3] / n[2], 3 - 4 * y * n[4] / n[3]});
    }
  }

  std::vector<std::map<Ids, int>> counts_;
  std::vector<std::array<double, 4>> discounts_ = {{}};  // of order 0, which has none
};

TEST(Ngram, ProbabilitiesOfAllTokensSumToOneAfterAnyContext) {
  const std::vector<Ids> sequences = {text(1, 400), text(2, 300)};
  for (int order = 1; order <= 5; ++order) {
    const NgramModel model(sequences, order, kVocabulary);
    for (const Ids& context : {Ids{}, Ids{0}, Ids{0, 1, 3}, Ids{199, 199, 199, 199},
                               Ids{5, 2, 8, 1, 0, 4}, Ids{7, 11}}) {
      double sum = 0;
      for (int32_t token = 0; token < kVocabulary; ++token) {
        const double p = model.probability(context, token);
        EXPECT_GT(p, 0) << "order " << order << " token " << token;
        sum += p;
      }
      EXPECT_NEAR(sum, 1, 1e-12) << "order " << order;
    }
  }
}

TEST(Ngram, AgreesWithTheFormulaWrittenWithMaps) {
  const std::vector<Ids> sequences = {text(3, 2000), text(4, 2000)};
  const NgramModel model(sequences, 3, kVocabulary);
  const Oracle oracle(sequences, 3);
  for (size_t k = 1; k <= 3; ++k) {
    for (int count = 1; count <= 3; ++count) {  // or the fallback would be compared with itself
      ASSERT_GE(oracle.discount(k, count), 0) << k;
      ASSERT_LE(oracle.discount(k, count), count) << k;
    }
  }
  for (const Ids& context : {Ids{0, 1}, Ids{1, 7}, Ids{0, 0}, Ids{3, 21}, Ids{198, 199}}) {
    for (int32_t token = 0; token < kVocabulary; ++token) {
      EXPECT_NEAR(model.probability(context, token), oracle.probability(context, token), 1e-12);
    }
  }
}

TEST(Ngram, GivesTheValuesOfAnExampleDoneByHand) {
  // Bigrams of "0 1 0 2": (begin,0) (0,1) (1,0) (0,2), each once. Too small for counts of counts,
  // so the discounts are 0.5, 1, 1.5. Different left neighbours: 0 has two, 1 and 2 have one each.
  const NgramModel model(std::vector<Ids>{{0, 1, 0, 2}}, 2, 4);
  const double left_over = (0.5 + 0.5 + 1.0) / 4;
  const double unigram1 = (1 - 0.5) / 4 + left_over / 4;
  EXPECT_DOUBLE_EQ(model.probability(Ids{0}, 1), (1 - 0.5) / 2 + (0.5 + 0.5) / 2 * unigram1);
  EXPECT_DOUBLE_EQ(model.probability(Ids{3}, 1), unigram1);
  EXPECT_DOUBLE_EQ(model.probability(Ids{3}, 3), left_over / 4);
}

TEST(Ngram, KnowsWhatBeginsASequence) {
  const NgramModel model(std::vector<Ids>{{5, 1}, {5, 2}, {5, 3}, {1, 2, 3, 1, 2}}, 3, kVocabulary);
  EXPECT_GT(model.probability({}, 5), 0.4);
  EXPECT_LT(model.probability(Ids{1, 2}, 5), 0.2);
}

TEST(Ngram, LogLikelihoodAddsUpProbabilitiesInContext) {
  const std::vector<Ids> sequences = {text(5, 300)};
  const NgramModel model(sequences, 3, kVocabulary);
  const Ids tokens = {4, 0, 9};
  const double expected = std::log(model.probability({}, 4)) +
                          std::log(model.probability(Ids{4}, 0)) +
                          std::log(model.probability(Ids{4, 0}, 9));
  EXPECT_NEAR(model.log_likelihood(tokens), expected, 1e-12);
  EXPECT_EQ(model.log_likelihood(Ids{}), 0);
}

TEST(Ngram, PredictsUnseenTextBetterWithMoreContext) {
  const std::vector<Ids> sequences = {text(6, 20000)};
  const Ids unseen = text(7, 2000);
  double last = NgramModel(sequences, 1, kVocabulary).log_likelihood(unseen);
  for (int order : {2, 3}) {
    const double now = NgramModel(sequences, order, kVocabulary).log_likelihood(unseen);
    EXPECT_GT(now, last + 100) << "order " << order;
    last = now;
  }
  EXPECT_GT(NgramModel(sequences, 5, kVocabulary).log_likelihood(unseen), last - 200);
}

TEST(Ngram, TurnsNatsIntoBitsPerByte) { EXPECT_DOUBLE_EQ(bits_per_byte(-std::log(16.0), 2), 2); }

ErrorKind kind_of(const std::vector<Ids>& sequences, int order, int32_t vocabulary) {
  try {
    NgramModel model(sequences, order, vocabulary);
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::bug;
}

TEST(Ngram, RefusesWhatItCannotCount) {
  EXPECT_EQ(kind_of({{1}}, 0, 4), ErrorKind::config);
  EXPECT_EQ(kind_of({{1}}, NgramModel::kMaxOrder + 1, 4), ErrorKind::config);
  EXPECT_EQ(kind_of({{1}}, 2, 0), ErrorKind::config);
  EXPECT_EQ(kind_of({{1, 4}}, 2, 4), ErrorKind::data);
  EXPECT_EQ(kind_of({{-1}}, 2, 4), ErrorKind::data);
  EXPECT_EQ(kind_of({}, 2, 4), ErrorKind::data);
  EXPECT_EQ(kind_of({{}}, 2, 4), ErrorKind::data);
  const NgramModel model(std::vector<Ids>{{1, 2}}, 2, 4);
  EXPECT_THROW(model.probability({}, 4), Error);
}

}  // namespace
}  // namespace cupel
