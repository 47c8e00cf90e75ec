// The seams through which code without LibTorch uses a model: a language model that continues and
// weighs text, a classifier that sorts it, an encoder that places it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cupel {

struct GenerateOptions {
  int64_t max_new_tokens = 64;
  double temperature = 0;         // 0 = greedy
  std::vector<std::string> stop;  // the text ends before the first of these
  uint64_t seed = 0;
  bool prompt_is_whole = false;       // a chat template wrote it, first token and all
  std::function<bool()> cancelled{};  // asked before each token; true ends the text, or all of a
                                      // batch
};

/// Continues `prompt`; ends at the end-of-text token too. `on_text`, if set, gets the text piece by
/// piece, whole characters only, bytes that belong to none as U+FFFD, on the calling thread; false
/// ends the generation.
using Generator = std::function<std::string(std::string_view prompt, const GenerateOptions& options,
                                            const std::function<bool(std::string_view)>& on_text)>;

/// The same of several prompts at once: each text is the one that its prompt alone gives.
using BatchGenerator = std::function<std::vector<std::string>(std::span<const std::string> prompts,
                                                              const GenerateOptions& options)>;

/// What a model makes of a text: ln p(target | context) in nats, over `tokens` tokens.
struct Likelihood {
  double log_likelihood = 0;
  int64_t tokens = 0;
};
/// A context may be empty; what does not fit the model's length is weighed in windows, each token
/// once.
using LikelihoodScorer =
    std::function<Likelihood(std::string_view context, std::string_view target)>;

/// A language model as evaluation and serving see it.
struct LanguageModel {
  Generator generate;
  LikelihoodScorer likelihood;
  BatchGenerator generate_batch{};  // empty: one by one
};

/// What a classifier says of texts.
struct Classified {
  std::vector<float> chances;  // [texts, labels] row-major, of each class
  int64_t shortened = 0;       // texts of which it read the beginning only
};

struct TextClassifier {
  std::vector<std::string> labels;  // by class
  std::function<Classified(std::span<const std::string_view> texts)> classify;
};

/// What documents mean, as vectors: the cosine of two is their product.
struct Embedder {
  int64_t dim = 0;
  /// Vectors of unit length, [documents, dim] row-major.
  std::function<std::vector<float>(std::span<const std::string_view> documents)> embed;
  std::string name = {};       // of the model, for reports
  std::string precision = {};  // of its products, for reports
};

}  // namespace cupel
