// Draws of topics: Kernels::topic_sweep over two registers of AVX2. AVX-512 rows take it too: a
// form with one register of theirs was slower (Zen 4).
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/kernels.h"
#include "kernels/vec_avx2_inl.h"

namespace cupel {
namespace {

/// Sixteen lanes that are summed in the order of Kernels::topic_sweep.
struct TopicLanes {
  Vec low, high;
};
inline TopicLanes topic_zero() { return {zero(), zero()}; }
inline TopicLanes topic_load(const float* p) { return {load(p), load(p + kLanes)}; }
inline void topic_store(float* p, TopicLanes x) {
  store(p, x.low);
  store(p + kLanes, x.high);
}
/// sums + x * y, rounded twice.
inline TopicLanes add_product(TopicLanes sums, TopicLanes x, TopicLanes y) {
  return {sums.low + x.low * y.low, sums.high + x.high * y.high};
}
inline Vec sum_quarters(Vec x) {
  x = x + _mm256_castsi256_ps(_mm256_slli_si256(_mm256_castps_si256(x), 4));
  return x + _mm256_castsi256_ps(_mm256_slli_si256(_mm256_castps_si256(x), 8));
}
inline TopicLanes running_sum(TopicLanes x) {
  x = {sum_quarters(x.low), sum_quarters(x.high)};
  const Vec low = _mm256_permute_ps(x.low, 0xFF), high = _mm256_permute_ps(x.high, 0xFF);
  x = {x.low + _mm256_permute2f128_ps(low, low, 0x08),
       x.high + _mm256_permute2f128_ps(low, high, 0x21)};
  return {x.low, x.high + _mm256_permute_ps(x.low, 0xFF)};
}
/// How many lanes are at most `target`.
inline int count_up_to(TopicLanes x, float target) {
  const Vec t = splat(target);
  return __builtin_popcount(
      static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(x.low, t, _CMP_LE_OQ))) |
      static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(x.high, t, _CMP_LE_OQ))) << 8);
}

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
  args.topics[i] = static_cast<uint16_t>(drawn);
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
