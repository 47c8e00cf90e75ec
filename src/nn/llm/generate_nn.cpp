#include "nn/llm/generate_nn.h"

#include <utility>

#include "data/tokenizer/gguf_tokenizer.h"
#include "nn/llm/generation_config.h"
#include "nn/llm/load_weights_nn.h"
#include "nn/llm/model_files.h"

namespace cupel::llm {
namespace {

at::Tensor ids_tensor(std::span<const int32_t> ids) {
  return at::tensor(std::vector<int64_t>(ids.begin(), ids.end()), at::kLong);
}

double log_likelihood(Decoder& decoder, std::span<const int32_t> ids, int64_t first) {
  at::NoGradGuard no_grad;
  const at::Tensor all = ids_tensor(ids);
  const int64_t length = all.size(0) - 1;
  nn::Batch batch;
  batch.inputs = all.narrow(0, 0, length).unsqueeze(0);
  batch.labels = all.narrow(0, 1, length).clone().unsqueeze(0);
  batch.labels.narrow(1, 0, first - 1).fill_(-100);
  return -decoder.loss(batch, {}).item<double>();
}

}  // namespace

TokenModel token_model(std::shared_ptr<Decoder> decoder) {
  TokenModel model;
  model.context = decoder->config().max_position_embeddings;
  model.begin = [decoder] {
    TokenSequence sequence;
    sequence.extend = [decoder,
                       cache = std::make_shared<DecoderCache>()](std::span<const int32_t> ids) {
      const at::Tensor logits =
          decoder->extend(ids_tensor(ids), *cache).to(at::kCPU, at::kFloat).contiguous();
      const float* values = logits.const_data_ptr<float>();
      return std::vector<float>(values, values + logits.numel());
    };
    return sequence;
  };
  model.log_likelihood = [decoder](std::span<const int32_t> ids, int64_t first) {
    return log_likelihood(*decoder, ids, first);
  };
  return model;
}

LanguageModel load_adapted_model(const std::filesystem::path& adapter) {
  auto tokenizer = std::make_shared<const Tokenizer>(load_tokenizer(adapter));
  const ModelConfig config = model_config_of(adapter);
  require_vocabulary(adapter, *tokenizer, config);
  auto decoder = std::make_shared<Decoder>(config);
  load_weights(adapter, *decoder);
  return language_model(token_model(std::move(decoder)), std::move(tokenizer),
                        ending_tokens(adapter, config.vocab_size));
}

}  // namespace cupel::llm
