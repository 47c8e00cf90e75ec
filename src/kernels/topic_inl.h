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

void topic_sweep(const TopicSweepArgs& args) {
  const int64_t size = args.padded_topics;
  alignas(64) float count[kMaxTopics], weight[kMaxTopics], sums[kMaxTopics];
  for (int64_t d = 0; d < args.documents; ++d) {
    for (int64_t k = 0; k < size; ++k) count[k] = 0.0f;
    for (int64_t i = args.first[d]; i < args.first[d + 1]; ++i) count[args.topics[i]] += 1.0f;
    for (int64_t k = 0; k < size; ++k) weight[k] = count[k] + args.alpha[k];
    for (int64_t i = args.first[d]; i < args.first[d + 1]; ++i) {
      const float* term = args.term_topic + args.terms[i] * size;
      const int64_t old = args.topics[i];
      const float others = (term[old] - args.own[old]) / term[old];
      count[old] -= 1.0f;
      weight[old] = (count[old] + args.alpha[old]) * others;
      const int64_t drawn = draw_topic(weight, term, size, args.random[i], sums);
      weight[old] = count[old] + args.alpha[old];
      count[drawn] += 1.0f;
      weight[drawn] = count[drawn] + args.alpha[drawn];
      args.topics[i] = static_cast<uint8_t>(drawn);
    }
  }
}

}  // namespace
}  // namespace cupel
