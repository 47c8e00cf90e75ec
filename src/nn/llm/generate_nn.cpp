#include "nn/llm/generate_nn.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "data/tokenizer/gguf_tokenizer.h"
#include "data/utf8.h"
#include "nn/llm/generation_config.h"
#include "nn/llm/load_weights_nn.h"
#include "nn/llm/model_files.h"

namespace cupel::llm {
namespace {

constexpr std::size_t kShownPrompt = 80;  // characters

at::Tensor ids_tensor(const std::vector<int32_t>& ids) {
  return at::tensor(std::vector<int64_t>(ids.begin(), ids.end()), at::kLong);
}

/// Text so far, handed on in whole characters, ended by a stop text. A byte that is part of none is
/// handed on as U+FFFD; the text itself keeps it.
class Output {
 public:
  Output(const GenerateOptions& options, const std::function<bool(std::string_view)>& on_text)
      : options_(options), on_text_(on_text) {
    for (const std::string& stop : options.stop) held_ = std::max(held_, stop.size());
  }

  /// Whether to go on.
  bool add(std::string_view bytes) {
    text_ += bytes;
    for (const std::string& stop : options_.stop) {
      const std::size_t from = sent_ > stop.size() ? sent_ - stop.size() : 0;
      const std::size_t at = stop.empty() ? std::string::npos : text_.find(stop, from);
      if (at != std::string::npos) {
        text_.resize(at);
        return false;
      }
    }
    // What may yet become a stop text is held back.
    return send(text_.size() - std::min(text_.size(), held_ > 0 ? held_ - 1 : 0));
  }

  std::string finish() {
    send(text_.size(), /*last=*/true);
    return text_;
  }

 private:
  bool send(std::size_t end, bool last = false) {
    if (!on_text_ || end <= sent_) return true;
    std::string_view piece = std::string_view(text_).substr(sent_, end - sent_);
    if (!last) piece.remove_suffix(unfinished_utf8_tail(piece));
    if (piece.empty()) return true;
    sent_ += piece.size();
    return on_text_(replace_invalid_utf8(piece));
  }

  const GenerateOptions& options_;
  const std::function<bool(std::string_view)>& on_text_;
  std::string text_;
  std::size_t sent_ = 0, held_ = 0;
};

/// The text's tokens behind the tokenizer's prefix; where that makes none, the one that begins
/// texts, or ends the text before.
std::vector<int32_t> context_tokens(const Tokenizer& tokenizer, std::string_view text,
                                    bool is_whole = false) {
  std::vector<int32_t> ids;
  if (!is_whole) ids = tokenizer.prefix();
  const std::vector<int32_t> rest = tokenizer.encode(text);
  ids.insert(ids.end(), rest.begin(), rest.end());
  if (ids.empty()) ids.push_back(tokenizer.bos_id().value_or(tokenizer.eos_id().value_or(0)));
  return ids;
}

/// Tokens before and in the text to be weighed, with a first token to be conditioned on.
struct Weighed {
  std::vector<int32_t> ids;
  int64_t first_target = 0;
};

Weighed weighed_tokens(const Tokenizer& tokenizer, std::string_view context,
                       std::string_view target) {
  Weighed result{context_tokens(tokenizer, context), 0};
  result.first_target = static_cast<int64_t>(result.ids.size());
  const std::vector<int32_t> rest = tokenizer.encode(target);
  result.ids.insert(result.ids.end(), rest.begin(), rest.end());
  return result;
}

}  // namespace

int32_t sample_token(const at::Tensor& logits, double temperature, Rng& rng) {
  const at::Tensor values = logits.to(at::kCPU, at::kDouble).contiguous();
  const double* value = values.const_data_ptr<double>();
  const double* end = value + values.numel();
  const double largest = *std::max_element(value, end);
  if (temperature <= 0) return static_cast<int32_t>(std::max_element(value, end) - value);
  double total = 0;
  for (const double* v = value; v < end; ++v) total += std::exp((*v - largest) / temperature);
  double left = rng.uniform() * total;
  const double* chosen = value;
  for (; chosen + 1 < end; ++chosen) {
    left -= std::exp((*chosen - largest) / temperature);
    if (left < 0) break;
  }
  return static_cast<int32_t>(chosen - value);
}

std::string generate(Decoder& decoder, const Tokenizer& tokenizer, std::string_view prompt,
                     const GenerateOptions& options,
                     const std::function<bool(std::string_view)>& on_text,
                     const std::vector<int32_t>& endings) {
  const std::vector<int32_t> ids = context_tokens(tokenizer, prompt, options.prompt_is_whole);
  const int64_t room = decoder.config().max_position_embeddings - static_cast<int64_t>(ids.size());
  if (room < 1)
    fail(ErrorKind::data, "prompt \"" + clip(prompt, kShownPrompt) + "\"",
         std::to_string(ids.size()) + " tokens leave no room in a context of " +
             std::to_string(decoder.config().max_position_embeddings),
         "shorten it, or take a model with more max_position_embeddings");
  Rng rng(options.seed, "sampling");
  Output output(options, on_text);
  DecoderCache cache;
  at::Tensor next = ids_tensor(ids);
  for (int64_t i = 0; i < std::min(room, options.max_new_tokens); ++i) {
    if (options.cancelled && options.cancelled()) break;
    const int32_t id = sample_token(decoder.extend(next, cache), options.temperature, rng);
    const bool ends = id == tokenizer.eos_id() || std::ranges::find(endings, id) != endings.end();
    if (ends || !output.add(tokenizer.token_bytes(id))) break;
    next = ids_tensor({id});
  }
  return output.finish();
}

Likelihood likelihood(Decoder& decoder, const Tokenizer& tokenizer, std::string_view context,
                      std::string_view target) {
  at::NoGradGuard no_grad;
  const Weighed text = weighed_tokens(tokenizer, context, target);
  const auto size = static_cast<int64_t>(text.ids.size());
  const int64_t window = std::min(decoder.config().max_position_embeddings, size - 1);
  Likelihood result{0, size - text.first_target};
  int64_t done = text.first_target;  // tokens before this one are weighed or context
  for (int64_t begin = std::max<int64_t>(0, std::min(done - 1, size - 1) - window / 2); done < size;
       begin += std::max<int64_t>(1, window / 2)) {
    const int64_t length = std::min(window, size - 1 - begin);
    nn::Batch batch;
    const at::Tensor ids =
        ids_tensor({text.ids.begin() + begin, text.ids.begin() + begin + length + 1});
    batch.inputs = ids.narrow(0, 0, length).unsqueeze(0);
    batch.labels = ids.narrow(0, 1, length).clone().unsqueeze(0);
    const int64_t already = std::clamp<int64_t>(done - begin - 1, 0, length);
    batch.labels.narrow(1, 0, already).fill_(-100);
    result.log_likelihood -= decoder.loss(batch, {}).item<double>();
    done = begin + length + 1;
  }
  return result;
}

LanguageModel language_model(std::shared_ptr<Decoder> decoder,
                             std::shared_ptr<const Tokenizer> tokenizer,
                             std::vector<int32_t> endings) {
  LanguageModel model;
  model.generate = [=, endings = std::move(endings)](
                       std::string_view prompt, const GenerateOptions& options,
                       const std::function<bool(std::string_view)>& on_text) {
    return generate(*decoder, *tokenizer, prompt, options, on_text, endings);
  };
  model.likelihood = [=](std::string_view context, std::string_view target) {
    return likelihood(*decoder, *tokenizer, context, target);
  };
  return model;
}

LanguageModel load_language_model(const std::filesystem::path& model) {
  auto tokenizer = std::make_shared<const Tokenizer>(load_tokenizer(model));
  const ModelConfig config = model_config_of(model);
  if (tokenizer->vocab_size() > config.vocab_size)
    fail(ErrorKind::data, model.string(),
         "tokenizer.json has " + std::to_string(tokenizer->vocab_size()) +
             " tokens, config.json a vocab_size of " + std::to_string(config.vocab_size),
         "fetch both from one place");
  auto decoder = std::make_shared<Decoder>(config);
  load_weights(model, *decoder);
  return language_model(std::move(decoder), std::move(tokenizer),
                        ending_tokens(model, config.vocab_size));
}

}  // namespace cupel::llm
