// Multinomial logistic regression over weighed words: the baseline a text classifier must beat.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace cupel {

/// Words are runs of letters, digits and bytes above 127, ASCII letters in lower case; those that
/// stand in two texts or more count, and pairs of neighbours as well. A text is the vector of
/// (1 + ln count) · (1 + ln((1 + texts) / (1 + texts with the word))), made a unit vector (Salton
/// and Buckley 1988). Softmax regression on it by AdaGrad (Duchi et al. 2011), kPasses passes in a
/// fixed order: the same texts give the same model.
class BagOfWords {
 public:
  static constexpr int kPasses = 20;

  /// labels[i] is the class of texts[i], in 0 … classes - 1. `poll` is called now and then and may
  /// throw to end it.
  BagOfWords(std::span<const std::string> texts, std::span<const int64_t> labels, int64_t classes,
             const std::function<void()>& poll = {});

  /// The class with the highest score; of equals the first.
  int64_t predict(std::string_view text) const;

  int64_t words() const { return static_cast<int64_t>(weight_of_word_.size()); }

 private:
  using Features = std::vector<std::pair<int64_t, float>>;  // word, value

  Features features_of(std::string_view text) const;
  std::vector<double> scores(const Features& features) const;
  void learn(const Features& features, int64_t label);

  std::size_t classes_;
  std::unordered_map<std::string, int64_t> ids_;
  std::vector<float> weight_of_word_;
  std::vector<float> weights_, squares_;  // [words + 1, classes], the bias last
};

}  // namespace cupel
