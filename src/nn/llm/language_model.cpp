#include "nn/llm/language_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "data/tokenizer/gguf_tokenizer.h"
#include "nn/llm/decoder_forward.h"
#include "nn/llm/decoder_sequence.h"
#include "nn/llm/generation_config.h"
#include "nn/llm/model_files.h"

namespace cupel::llm {
namespace {

constexpr int64_t kTokensTogether = 512, kLogitRows = 64;

/// ln p of `token` by one row of logits.
double log_chance(std::span<const float> logits, int32_t token) {
  const auto largest = static_cast<double>(*std::ranges::max_element(logits));
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return static_cast<double>(logits[static_cast<std::size_t>(token)]) - largest - std::log(sum);
}

class Loaded {
 public:
  Loaded(const ModelConfig& config, DecoderWeights weights, ThreadPool& pool)
      : config_(config),
        weights_(std::move(weights)),
        pool_(pool),
        forward_(config_, weights_, pool) {}

  std::shared_ptr<DecoderSequence> begin(bool speculates) {
    auto sequence =
        std::make_shared<DecoderSequence>(config_, weights_, forward_, kept_, speculates);
    std::erase_if(alive_, [](const auto& other) { return other.expired(); });
    alive_.push_back(sequence);
    return sequence;
  }

  /// Sequences that grow together.
  class Batch {
   public:
    Batch(std::shared_ptr<Loaded> model, std::size_t places)
        : model_(std::move(model)), caches_(places) {}

    std::vector<float> extend(std::span<const TokenBatch::Step> steps) {
      std::vector<Continuation> next;
      std::vector<int64_t> last;
      int64_t rows = 0;
      for (const TokenBatch::Step& step : steps) {
        KeyValueCache& cache = caches_[step.place];
        if (step.begins) cache = {};
        next.push_back({&cache, step.ids});
        rows += static_cast<int64_t>(step.ids.size());
        last.push_back(rows - 1);
      }
      std::vector<float> logits(steps.size() *
                                static_cast<std::size_t>(model_->config_.vocab_size));
      model_->forward_.extend(next);
      model_->forward_.logits(last, logits.data());
      return logits;
    }
    int64_t bytes() const {
      int64_t total = 0;
      for (const KeyValueCache& cache : caches_) total += cache.bytes();
      return total;
    }

   private:
    std::shared_ptr<Loaded> model_;
    std::vector<KeyValueCache> caches_;
  };

  void watch(const std::shared_ptr<Batch>& batch) {
    std::erase_if(batches_, [](const auto& other) { return other.expired(); });
    batches_.push_back(batch);
  }

  int64_t cached_bytes() const {
    int64_t bytes = kept_->cache.bytes();
    for (const auto& batch : batches_)
      if (const auto here = batch.lock()) bytes += here->bytes();
    for (const auto& sequence : alive_)
      if (const auto here = sequence.lock()) bytes += here->bytes();
    return bytes;
  }

  double log_likelihood(std::span<const int32_t> ids, int64_t first) {
    KeyValueCache cache;
    double total = 0;
    const auto size = static_cast<int64_t>(ids.size()) - 1;
    for (int64_t begin = 0; begin < size; begin += kTokensTogether) {
      const int64_t count = std::min(kTokensTogether, size - begin);
      const Continuation next{
          &cache, ids.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count))};
      forward_.extend({&next, 1});
      for (int64_t row = std::clamp<int64_t>(first - 1 - begin, 0, count); row < count;
           row += kLogitRows) {
        const int64_t rows = std::min(kLogitRows, count - row);
        total += weigh(row, ids.subspan(static_cast<std::size_t>(begin + row + 1),
                                        static_cast<std::size_t>(rows)));
      }
    }
    return total;
  }

  int64_t context() const { return config_.max_position_embeddings; }

 private:
  /// Sum of ln p of `targets`, each behind one of the rows from `row` on; the order is fixed.
  double weigh(int64_t row, std::span<const int32_t> targets) {
    const auto count = static_cast<int64_t>(targets.size()), vocabulary = config_.vocab_size;
    std::vector<int64_t> rows(targets.size());
    for (int64_t i = 0; i < count; ++i) rows[static_cast<std::size_t>(i)] = row + i;
    logits_.resize(static_cast<std::size_t>(kLogitRows * vocabulary));
    forward_.logits(rows, logits_.data());
    std::vector<double> chances(targets.size());
    pool_.parallel_for(count, 4, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const auto at = static_cast<std::size_t>(i);
        chances[at] =
            log_chance(std::span(logits_).subspan(at * static_cast<std::size_t>(vocabulary),
                                                  static_cast<std::size_t>(vocabulary)),
                       targets[at]);
      }
    });
    double sum = 0;
    for (const double chance : chances) sum += chance;
    return sum;
  }

  ModelConfig config_;
  DecoderWeights weights_;
  ThreadPool& pool_;
  DecoderForward forward_;
  std::vector<float> logits_;
  std::shared_ptr<KeptSequence> kept_ = std::make_shared<KeptSequence>();
  std::vector<std::weak_ptr<DecoderSequence>> alive_;
  std::vector<std::weak_ptr<Batch>> batches_;
};

}  // namespace

TokenModel token_model(const ModelConfig& config, DecoderWeights weights, ThreadPool& pool,
                       bool speculates) {
  const auto loaded = std::make_shared<Loaded>(config, std::move(weights), pool);
  TokenModel model;
  model.context = loaded->context();
  model.begin = [loaded, speculates] {
    const std::shared_ptr<DecoderSequence> sequence = loaded->begin(speculates);
    // `loaded` is what the sequence refers to.
    return TokenSequence{
        [loaded, sequence](std::span<const int32_t> ids) { return sequence->extend(ids); },
        [loaded, sequence] { sequence->keep(); }};
  };
  model.begin_batch = [loaded](std::size_t places) {
    const auto batch = std::make_shared<Loaded::Batch>(loaded, places);
    loaded->watch(batch);
    return TokenBatch{
        [batch](std::span<const TokenBatch::Step> steps) { return batch->extend(steps); }};
  };
  model.cached_bytes = [loaded] { return loaded->cached_bytes(); };
  model.log_likelihood = [loaded](std::span<const int32_t> ids, int64_t first) {
    return loaded->log_likelihood(ids, first);
  };
  return model;
}

LanguageModel load_language_model(const std::filesystem::path& model, const DecoderFormat& format,
                                  ThreadPool& pool) {
  auto tokenizer = std::make_shared<const Tokenizer>(load_tokenizer(model));
  const ModelConfig config = model_config_of(model);
  require_vocabulary(model, *tokenizer, config);
  DecoderWeights weights =
      take_decoder_weights(tensors_of(model, config), config, format, pool, model.string());
  return language_model(token_model(config, std::move(weights), pool), std::move(tokenizer),
                        ending_tokens(model, config.vocab_size));
}

}  // namespace cupel::llm
