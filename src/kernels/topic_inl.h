// Draws of topics: Kernels::topic_sweep over sixteen lanes.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"

namespace cupel {
namespace {

/// The topic at `random` of the way through the products of `weight` and `term`. `sums` is scratch.
inline int64_t draw_topic(const float* weight, const float* term, int64_t padded_topics,
                          uint32_t random, float* sums) {
  TopicLanes lanes = topic_zero();
  for (int64_t k = 0; k < padded_topics; k += kTopicLanes) {
    lanes = add_product(lanes, topic_load(weight + k), topic_load(term + k));
    topic_store(sums + k, lanes);
  }
  float before[kTopicLanes + 1];  // before[i]: what stands before lane i
  before[0] = 0.0f;
  lanes = running_sum(lanes);
  topic_store(before + 1, lanes);
  const float target = static_cast<float>(random >> 8) * 0x1p-24f * before[kTopicLanes];
  int64_t lane = count_up_to(lanes, target);
  if (lane == kTopicLanes) lane = kTopicLanes - 1;
  const float rest = target - before[lane];
  int64_t passed = 0;
  for (int64_t k = lane; k < padded_topics; k += kTopicLanes) passed += sums[k] <= rest ? 1 : 0;
  int64_t topic = lane + passed * kTopicLanes;
  // Rounding may leave nothing of the lane: its last topic that has a chance.
  if (topic >= padded_topics) {
    topic -= kTopicLanes;
    while (topic > lane && sums[topic] <= sums[topic - kTopicLanes]) topic -= kTopicLanes;
  }
  return topic;
}

/// A document that is being swept.
struct TopicDocument {
  alignas(64) float count[kMaxTopics], weight[kMaxTopics], sums[kMaxTopics];
  int64_t at = 0, end = 0;  // tokens
};

inline void begin_document(const TopicSweepArgs& args, int64_t d, TopicDocument& document) {
  document.at = args.first[d];
  document.end = args.first[d + 1];
  for (int64_t k = 0; k < args.padded_topics; ++k) document.count[k] = 0.0f;
  for (int64_t i = document.at; i < document.end; ++i) document.count[args.topics[i]] += 1.0f;
  for (int64_t k = 0; k < args.padded_topics; ++k)
    document.weight[k] = document.count[k] + args.alpha[k];
}

inline void draw_next(const TopicSweepArgs& args, TopicDocument& document) {
  float *count = document.count, *weight = document.weight;
  const int64_t i = document.at++;
  const float* term = args.term_topic + args.terms[i] * args.padded_topics;
  const int64_t old = args.topics[i];
  const float others = (term[old] - args.own[old]) / term[old];
  count[old] -= 1.0f;
  weight[old] = (count[old] + args.alpha[old]) * others;
  const int64_t drawn = draw_topic(weight, term, args.padded_topics, args.random[i], document.sums);
  weight[old] = count[old] + args.alpha[old];
  count[drawn] += 1.0f;
  weight[drawn] = count[drawn] + args.alpha[drawn];
  args.topics[i] = static_cast<uint8_t>(drawn);
}

/// Draws of one document wait for one another, those of two do not: they take turns.
void topic_sweep(const TopicSweepArgs& args) {
  constexpr int kTogether = 2;
  TopicDocument documents[kTogether];
  int64_t next = 0;
  for (int open = kTogether; open > 0;) {
    open = 0;
    for (TopicDocument& document : documents) {
      while (document.at == document.end && next < args.documents)
        begin_document(args, next++, document);
      if (document.at == document.end) continue;
      draw_next(args, document);
      ++open;
    }
  }
}

}  // namespace
}  // namespace cupel
