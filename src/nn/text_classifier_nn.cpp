#include "nn/text_classifier_nn.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "base/error.h"
#include "data/tokenizer/shorten.h"
#include "nn/classifier_files_nn.h"

namespace cupel::nn {
namespace {

constexpr std::size_t kRowsTogether = 16;

struct Parts {
  Tokenizer tokenizer;
  std::shared_ptr<BertClassifier> classifier;
};

Classified classify(const Parts& parts, std::span<const std::string_view> texts) {
  const ClassifierConfig& config = parts.classifier->config();
  const int64_t most = config.encoder.max_position_embeddings;
  Classified result;
  std::vector<std::vector<int32_t>> ids;
  for (const std::string_view text : texts) {
    ids.push_back(parts.tokenizer.encode(text, true));
    if (static_cast<int64_t>(ids.back().size()) > most) {
      ids.back() = shortened(parts.tokenizer, text, std::move(ids.back()), most);
      ++result.shortened;
    }
    // A tokenizer that puts nothing around a text has no token for an empty one.
    if (ids.back().empty()) ids.back().push_back(static_cast<int32_t>(config.pad_token_id));
  }
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t i) { return ids[i].size(); });
  const std::size_t classes = config.labels.size();
  result.chances.resize(texts.size() * classes);
  at::NoGradGuard no_grad;
  for (std::size_t begin = 0; begin < order.size(); begin += kRowsTogether) {
    const std::size_t count = std::min(kRowsTogether, order.size() - begin);
    std::vector<const std::vector<int32_t>*> rows;
    for (std::size_t i = begin; i < begin + count; ++i) rows.push_back(&ids[order[i]]);
    const at::Tensor chances =
        at::softmax(parts.classifier->logits(padded_batch(rows, config.pad_token_id), {}), 1)
            .contiguous();
    const float* from = chances.const_data_ptr<float>();
    for (std::size_t i = 0; i < count; ++i)
      std::copy_n(from + i * classes, classes,
                  result.chances.begin() + static_cast<std::ptrdiff_t>(order[begin + i] * classes));
  }
  return result;
}

}  // namespace

TextClassifier text_classifier(const std::filesystem::path& folder) {
  std::shared_ptr<BertClassifier> model = load_classifier(folder);
  Tokenizer tokenizer = Tokenizer::load(folder);
  const int64_t known = model->config().encoder.vocab_size;
  if (tokenizer.vocab_size() > known) {
    fail(ErrorKind::data, folder.string(),
         "tokenizer.json has " + std::to_string(tokenizer.vocab_size()) +
             " tokens, config.json a vocab_size of " + std::to_string(known),
         "fetch both from one place");
  }
  const std::vector<std::string> labels = model->config().labels;
  auto parts = std::make_shared<const Parts>(Parts{std::move(tokenizer), std::move(model)});
  return {labels,
          [parts](std::span<const std::string_view> texts) { return classify(*parts, texts); }};
}

}  // namespace cupel::nn
