#include "curate/sparse_topics.h"

#include <algorithm>

namespace cupel::curate {

SparseTopics::SparseTopics(std::span<const int64_t> tokens, int topics)
    : first(tokens.size()), size(tokens.size() - 1), rest_chance(place(topics)) {
  for (std::size_t w = 0; w < size.size(); ++w)
    first[w + 1] = first[w] + std::min<int64_t>(topics, tokens[w + 1] - tokens[w]);
  topic.resize(place(first.back()));
  term_chance.resize(place(first.back()));
}

void SparseTopics::set_term(int64_t term, std::span<const int32_t> counts,
                            std::span<const float> alpha, std::span<const float> own) {
  std::size_t at = place(first[place(term)]);
  double sum = 0;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] == 0) continue;
    sum += double{alpha[k]} * double{own[k]} * counts[k];
    topic[at] = static_cast<uint16_t>(k);
    term_chance[at++] = sum;
  }
  size[place(term)] = static_cast<int32_t>(at - place(first[place(term)]));
}

void SparseTopics::set_rest(std::span<const float> alpha, double beta, std::span<const float> own) {
  double sum = 0;
  for (std::size_t k = 0; k < rest_chance.size(); ++k) {
    sum += double{alpha[k]} * double{own[k]} * beta;
    rest_chance[k] = sum;
  }
}

SparseSweep::SparseSweep(const SparseTopics& tables, std::span<const float> term_topic,
                         int64_t stride, std::span<const float> alpha, std::span<const float> own)
    : tables_(tables),
      term_topic_(term_topic),
      stride_(stride),
      alpha_(alpha),
      own_(own),
      count_(tables.rest_chance.size()),
      place_(tables.rest_chance.size()) {}

void SparseSweep::add(uint16_t topic) {
  if (count_[topic]++ > 0) return;
  place_[topic] = static_cast<int32_t>(present_.size());
  present_.push_back(topic);
}

void SparseSweep::remove(uint16_t topic) {
  if (--count_[topic] > 0) return;
  const uint16_t last = present_.back();
  present_[place(place_[topic])] = last;
  place_[last] = place_[topic];
  present_.pop_back();
}

/// The topic at `x` along the term's sums, from which what the token itself added to the topic it
/// had is left out.
uint16_t SparseSweep::of_term(int64_t term, uint16_t old, double x, double left_out) const {
  const int64_t first = tables_.first[place(term)], size = tables_.size[place(term)];
  const uint16_t* topics = tables_.topic.data() + first;
  const double* sums = tables_.term_chance.data() + first;
  const int64_t own = std::lower_bound(topics, topics + size, old) - topics;
  int64_t at = std::upper_bound(sums, sums + own, x) - sums;
  if (at == own) at = std::upper_bound(sums + own, sums + size, x + left_out) - sums;
  return topics[std::min(at, size - 1)];
}

uint16_t SparseSweep::draw_token(int64_t term, uint16_t old, double uniform) {
  const float* row = term_topic_.data() + term * stride_;
  sums_.resize(present_.size());
  double of_document = 0;
  for (std::size_t i = 0; i < present_.size(); ++i) {
    const uint16_t k = present_[i];
    const double share = double{row[k]} - (k == old && !own_.empty() ? double{own_[k]} : 0.0);
    sums_[i] = of_document += count_[k] * share;
  }
  const int64_t last = tables_.first[place(term)] + tables_.size[place(term)] - 1;
  const double left_out = own_.empty() ? 0 : double{alpha_[old]} * double{own_[old]};
  const bool is_counted = tables_.size[place(term)] > 0;
  const double of_terms =
      is_counted ? std::max(0.0, tables_.term_chance[place(last)] - left_out) : 0.0;
  double x = uniform * (of_document + of_terms + tables_.rest_chance.back());
  if (x < of_document) {
    const auto found = std::upper_bound(sums_.begin(), sums_.end(), x) - sums_.begin();
    return present_[place(std::min<int64_t>(found, std::ssize(sums_) - 1))];
  }
  x -= of_document;
  if (x < of_terms) return of_term(term, old, x, left_out);
  const auto& rest = tables_.rest_chance;
  const auto found = std::upper_bound(rest.begin(), rest.end(), x - of_terms) - rest.begin();
  return static_cast<uint16_t>(std::min<int64_t>(found, std::ssize(rest) - 1));
}

void SparseSweep::draw(std::span<const int32_t> terms, std::span<uint16_t> topics,
                       std::span<const uint32_t> random) {
  for (const uint16_t topic : topics) add(topic);
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const uint64_t bits = uint64_t{random[2 * i]} << 32 | random[2 * i + 1];
    remove(topics[i]);
    topics[i] = draw_token(terms[i], topics[i], static_cast<double>(bits >> 11) * 0x1p-53);
    add(topics[i]);
  }
  for (const uint16_t topic : present_) count_[topic] = 0;
  present_.clear();
}

}  // namespace cupel::curate
