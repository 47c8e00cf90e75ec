#include "data/bag_of_words.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/rng.h"

namespace cupel {
namespace {

constexpr float kStep = 0.5F;
constexpr float kFirstSquare = 1e-6F;
constexpr int64_t kFewestTexts = 2;

bool is_inside_a_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) > 127;
}

/// Words of a text and, with a space between them, neighbours; how often each stands there.
std::map<std::string, int64_t> counts_of(std::string_view text) {
  std::map<std::string, int64_t> counts;
  std::string before;
  for (std::size_t at = 0; at < text.size();) {
    std::string word;
    for (; at < text.size() && is_inside_a_word(text[at]); ++at) {
      const char c = text[at];
      word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    ++at;
    if (word.empty()) continue;
    ++counts[word];
    if (!before.empty()) ++counts[before + " " + word];
    before = word;
  }
  return counts;
}

}  // namespace

BagOfWords::BagOfWords(std::span<const std::string> texts, std::span<const int64_t> labels,
                       int64_t classes, const std::function<void()>& poll)
    : classes_(static_cast<std::size_t>(classes)) {
  CUPEL_ASSERT(texts.size() == labels.size() && classes > 0);
  const auto stop_if_asked = [&] {
    if (poll) poll();
  };
  std::map<std::string, int64_t> texts_with;
  for (const std::string& text : texts) {
    stop_if_asked();
    for (const auto& [word, count] : counts_of(text)) ++texts_with[word];
  }
  for (const auto& [word, count] : texts_with) {
    if (count < kFewestTexts) continue;
    ids_.emplace(word, words());
    weight_of_word_.push_back(static_cast<float>(
        1 + std::log((1 + static_cast<double>(texts.size())) / (1 + static_cast<double>(count)))));
  }
  const std::size_t size = (weight_of_word_.size() + 1) * classes_;
  weights_.assign(size, 0);
  squares_.assign(size, kFirstSquare);
  std::vector<Features> rows;
  std::vector<std::size_t> order;
  for (const std::string& text : texts) {
    order.push_back(rows.size());
    rows.push_back(features_of(text));
  }
  Rng rng(1, "order of texts");
  for (int pass = 0; pass < kPasses; ++pass) {
    rng.shuffle(order);
    for (const std::size_t row : order) {
      stop_if_asked();
      learn(rows[row], labels[row]);
    }
  }
}

BagOfWords::Features BagOfWords::features_of(std::string_view text) const {
  Features features;
  double squares = 0;
  for (const auto& [word, count] : counts_of(text)) {
    const auto found = ids_.find(word);
    if (found == ids_.end()) continue;
    const double value = (1 + std::log(static_cast<double>(count))) *
                         weight_of_word_[static_cast<std::size_t>(found->second)];
    squares += value * value;
    features.emplace_back(found->second, static_cast<float>(value));
  }
  const auto length = static_cast<float>(std::sqrt(squares));
  for (auto& [word, value] : features) value /= length;
  features.emplace_back(words(), 1.0F);  // the bias
  return features;
}

std::vector<double> BagOfWords::scores(const Features& features) const {
  std::vector<double> sums(classes_, 0.0);
  for (const auto& [word, value] : features) {
    const float* row = weights_.data() + static_cast<std::size_t>(word) * classes_;
    for (std::size_t c = 0; c < classes_; ++c) sums[c] += static_cast<double>(value * row[c]);
  }
  return sums;
}

void BagOfWords::learn(const Features& features, int64_t label) {
  std::vector<double> chances = scores(features);
  const double highest = *std::ranges::max_element(chances);
  double sum = 0;
  for (double& chance : chances) sum += chance = std::exp(chance - highest);
  for (const auto& [word, value] : features) {
    const std::size_t row = static_cast<std::size_t>(word) * classes_;
    for (std::size_t c = 0; c < classes_; ++c) {
      const double wrong = chances[c] / sum - (static_cast<int64_t>(c) == label ? 1 : 0);
      const float gradient = static_cast<float>(wrong) * value;
      squares_[row + c] += gradient * gradient;
      weights_[row + c] -= kStep * gradient / std::sqrt(squares_[row + c]);
    }
  }
}

int64_t BagOfWords::predict(std::string_view text) const {
  const std::vector<double> sums = scores(features_of(text));
  return std::ranges::max_element(sums) - sums.begin();
}

}  // namespace cupel
