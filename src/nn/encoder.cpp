#include "nn/encoder.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <numeric>
#include <utility>

#include "base/config.h"
#include "base/error.h"
#include "nn/encoder_forward.h"

namespace cupel::nn {
namespace {

constexpr std::size_t kBatchTokens = 1024;  // a batch's stream and sums stay in the cache
constexpr int64_t kTextsTogether = 64;      // to tokenise

/// Neighbours in `order` whose lengths add up to kBatchTokens at most, or one text: [begin, end).
std::vector<std::pair<std::size_t, std::size_t>> make_batches(
    const std::vector<std::size_t>& order, const std::vector<std::vector<int32_t>>& ids) {
  std::vector<std::pair<std::size_t, std::size_t>> batches;
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t length = ids[order[i]].size();
    if (batches.empty() || tokens + length > kBatchTokens) {
      batches.emplace_back(i, i);
      tokens = 0;
    }
    tokens += length;
    batches.back().second = i + 1;
  }
  return batches;
}

}  // namespace

Encoder::Encoder(EncoderConfig config, EncoderPrecisionReport precision, WordPiece tokenizer,
                 EncoderWeights weights)
    : config_(config),
      precision_(std::move(precision)),
      tokenizer_(std::move(tokenizer)),
      weights_(std::move(weights)) {}

Encoder Encoder::load(const std::filesystem::path& folder, EncoderPrecision precision) {
  const EncoderConfig config = read_encoder_config(folder);
  WordPiece tokenizer = WordPiece::load(folder);
  if (tokenizer.vocab_size() > config.vocab_size) {
    fail(ErrorKind::data, folder.string(),
         "the tokenizer has " + std::to_string(tokenizer.vocab_size()) +
             " tokens, config.json says vocab_size " + std::to_string(config.vocab_size),
         "fetch all files from one place");
  }
  EncoderPrecisionReport report = resolve_encoder_precision(precision);
  EncoderWeights weights =
      take_encoder_weights(Safetensors::open(folder), config,
                           format_of(report.compute, config.group_size), folder.string());
  return Encoder(config, std::move(report), std::move(tokenizer), std::move(weights));
}

std::vector<float> Encoder::encode(std::span<const std::string_view> texts,
                                   ThreadPool& pool) const {
  const auto count = static_cast<int64_t>(texts.size());
  std::vector<std::vector<int32_t>> ids(texts.size());
  pool.parallel_for(count, kTextsTogether, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto at = static_cast<std::size_t>(i);
      ids[at] = tokenizer_.encode(texts[at], config_.max_seq_length);
    }
  });
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t i) { return ids[i].size(); });
  const auto batches = make_batches(order, ids);

  std::vector<float> vectors(texts.size() * static_cast<std::size_t>(width()));
  EncoderPasses passes(config_, weights_);
  const auto run = [&](std::size_t batch, ThreadPool* threads) {
    const auto [begin, end] = batches[batch];
    std::vector<const std::vector<int32_t>*> rows;
    for (std::size_t i = begin; i < end; ++i) rows.push_back(&ids[order[i]]);
    EncoderPasses::Pass pass = passes.take();
    pass->run(rows, threads);
    for (std::size_t i = begin; i < end; ++i)
      pass->mean(i - begin, vectors.data() + order[i] * static_cast<std::size_t>(width()));
    passes.give(std::move(pass));
  };
  run_batches(batches.size(), pool, run);
  return vectors;
}

std::filesystem::path default_encoder_folder() {
  const char* asked = std::getenv("CUPEL_HOME");
  const char* user = std::getenv("HOME");
  const std::filesystem::path home =
      asked != nullptr && *asked != '\0'
          ? std::filesystem::path(asked)
          : std::filesystem::path(user == nullptr ? "" : user) / ".cache" / "cupel";
  const std::filesystem::path folder = home / "models" / "all-MiniLM-L6-v2";
  if (!std::filesystem::exists(folder / "config.json")) {
    fail(ErrorKind::config, folder.string(), "the sentence encoder is not there",
         "run scripts/setup --models, or name the folder of another BERT model");
  }
  return folder;
}

Embedder make_embedder(Encoder encoder, ThreadPool& pool) {
  const int64_t width = encoder.width();
  const std::string precision(name_of(encoder.precision().compute));
  auto shared = std::make_shared<const Encoder>(std::move(encoder));
  const auto embed = [shared, &pool](std::span<const std::string_view> documents) {
    return shared->encode(documents, pool);
  };
  return {.dim = width, .embed = embed, .precision = precision};
}

}  // namespace cupel::nn
