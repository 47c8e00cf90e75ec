#include "nn/text_classifier.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "base/error.h"
#include "data/tokenizer/shorten.h"
#include "nn/classifier.h"

namespace cupel::nn {
namespace {

struct Parts {
  Tokenizer tokenizer;
  Classifier classifier;
  ThreadPool& pool;
};

void softmax(std::span<float> scores) {
  const float most = *std::ranges::max_element(scores);
  float sum = 0;
  for (float& score : scores) sum += score = std::exp(score - most);
  for (float& score : scores) score /= sum;
}

Classified classify(const Parts& parts, std::span<const std::string_view> texts) {
  Classified result;
  std::vector<std::vector<int32_t>> ids;
  for (const std::string_view text : texts) {
    ids.push_back(
        classifier_tokens(parts.tokenizer, text, parts.classifier.config(), &result.shortened));
  }
  std::vector<const std::vector<int32_t>*> rows;
  for (const std::vector<int32_t>& row : ids) rows.push_back(&row);
  result.chances = parts.classifier.logits(rows, parts.pool);
  const std::size_t classes = parts.classifier.config().labels.size();
  for (std::size_t i = 0; i < texts.size(); ++i)
    softmax(std::span(result.chances).subspan(i * classes, classes));
  return result;
}

}  // namespace

std::vector<int32_t> classifier_tokens(const Tokenizer& tokenizer, std::string_view text,
                                       const ClassifierConfig& config, int64_t* shortened) {
  const int64_t most = config.encoder.max_position_embeddings;
  std::vector<int32_t> ids = tokenizer.encode(text, true);
  if (static_cast<int64_t>(ids.size()) > most) {
    ids = cupel::shortened(tokenizer, text, std::move(ids), most);
    if (shortened != nullptr) ++*shortened;
  }
  // A tokenizer that puts nothing around a text has no token for an empty one.
  if (ids.empty()) ids.push_back(static_cast<int32_t>(config.pad_token_id));
  return ids;
}

TextClassifier text_classifier(const std::filesystem::path& folder, ThreadPool& pool) {
  Classifier model = Classifier::load(folder);
  Tokenizer tokenizer = Tokenizer::load(folder);
  const int64_t known = model.config().encoder.vocab_size;
  if (tokenizer.vocab_size() > known) {
    fail(ErrorKind::data, folder.string(),
         "tokenizer.json has " + std::to_string(tokenizer.vocab_size()) +
             " tokens, config.json a vocab_size of " + std::to_string(known),
         "fetch both from one place");
  }
  const std::vector<std::string> labels = model.config().labels;
  auto parts = std::make_shared<const Parts>(Parts{std::move(tokenizer), std::move(model), pool});
  return {labels,
          [parts](std::span<const std::string_view> texts) { return classify(*parts, texts); }};
}

}  // namespace cupel::nn
