#include <map>

#include "kernels/every_row.h"

namespace cupel {
namespace {

class TopicSweep : public EveryRow {};

/// Documents of 0 … 40 tokens over 50 terms, as the kernel wants them.
struct Sample {
  int64_t topics, padded;
  std::vector<int64_t> first = {0};
  std::vector<int32_t> terms;
  std::vector<uint16_t> assigned;
  std::vector<uint32_t> random;
  std::vector<float> term_topic, alpha, own;

  explicit Sample(int64_t k)
      : topics(k), padded((k + kTopicLanes - 1) / kTopicLanes * kTopicLanes) {
    constexpr int64_t kTerms = 50;
    std::mt19937 engine(static_cast<uint32_t>(k));
    const auto generator = [&] { return static_cast<uint32_t>(engine()); };
    term_topic.resize(static_cast<size_t>(kTerms * padded));
    alpha.resize(static_cast<size_t>(padded));
    own.resize(static_cast<size_t>(padded));
    for (int64_t t = 0; t < topics; ++t) {
      alpha[static_cast<size_t>(t)] = 0.05f + static_cast<float>(t % 7) * 0.1f;
      own[static_cast<size_t>(t)] = 1e-3f / static_cast<float>(1 + t);
      for (int64_t w = 0; w < kTerms; ++w) {
        const float count = generator() % 4 == 0 ? static_cast<float>(1 + generator() % 90) : 1.01f;
        term_topic[static_cast<size_t>(w * padded + t)] = count * own[static_cast<size_t>(t)];
      }
    }
    for (int d = 0; d < 60; ++d) {
      for (uint32_t i = generator() % 41; i > 0; --i) {
        terms.push_back(static_cast<int32_t>(generator() % kTerms));
        assigned.push_back(static_cast<uint16_t>(generator() % static_cast<uint32_t>(topics)));
        random.push_back(generator());
      }
      first.push_back(static_cast<int64_t>(terms.size()));
    }
    for (size_t i = 0; i < 40; ++i) random[i] = i % 2 ? 0xFFFFFFFF : 0;  // the ends
  }

  std::vector<uint16_t> sweep(const Kernels& row) const {
    std::vector<uint16_t> drawn = assigned;
    row.topic_sweep({.documents = static_cast<int64_t>(first.size()) - 1,
                     .first = first.data(),
                     .terms = terms.data(),
                     .topics = drawn.data(),
                     .random = random.data(),
                     .padded_topics = padded,
                     .term_topic = term_topic.data(),
                     .alpha = alpha.data(),
                     .own = own.data()});
    return drawn;
  }
};

TEST_P(TopicSweep, DrawsTheSameTopicsOnEveryRow) {
  for (const int64_t topics : {1, 2, 15, 16, 17, 33, 100, 255, 256}) {
    const Sample sample(topics);
    const std::vector<uint16_t> drawn = sample.sweep(*row);
    EXPECT_EQ(drawn, sample.sweep(scalar_row())) << topics << " topics";
    for (const uint16_t topic : drawn) ASSERT_LT(topic, topics);
  }
}

/// One token, so the counts of the document are 0 and the chances are alpha * (term_topic - own).
TEST_P(TopicSweep, DrawsInProportionToTheFormula) {
  constexpr int kTopics = 20, kPadded = 32, kDraws = 1 << 16;
  std::vector<float> term_topic(kPadded), alpha(kPadded), own(kPadded);
  double total = 0;
  std::vector<double> expected(kTopics);
  for (size_t k = 0; k < kTopics; ++k) {
    term_topic[k] = static_cast<float>(1 + k % 5);
    alpha[k] = static_cast<float>(1 + k % 3);
    own[k] = 0.5f;
    expected[k] = static_cast<double>(alpha[k] * (term_topic[k] - (k == 4 ? 0.5f : 0.0f)));
    total += expected[k];
  }
  std::map<int, int> counts;
  const int64_t first[2] = {0, 1};
  const int32_t term = 0;
  for (uint32_t i = 0; i < kDraws; ++i) {
    uint16_t topic = 4;
    const uint32_t random = i << 16;  // evenly over [0, 1)
    row->topic_sweep(
        {1, first, &term, &topic, &random, kPadded, term_topic.data(), alpha.data(), own.data()});
    ++counts[topic];
  }
  for (int k = 0; k < kTopics; ++k)
    EXPECT_NEAR(counts[k], expected[static_cast<size_t>(k)] / total * kDraws, 2) << "topic " << k;
}

INSTANTIATE_TEST_SUITE_P(, TopicSweep, every_row_name(), row_label);

}  // namespace
}  // namespace cupel
