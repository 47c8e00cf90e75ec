// A causal language model with its tokenizer: sampling, likelihoods, text that goes on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "data/blackbox.h"
#include "data/tokenizer/tokenizer.h"

namespace cupel::llm {

/// A sequence of tokens that grows. What it remembers goes with it, unless keep() is called.
struct TokenSequence {
  /// Goes on from the tokens given before: the logits [vocabulary] after the last of `ids`, of
  /// which there is one at least.
  std::function<std::vector<float>(std::span<const int32_t> ids)> extend;
  /// Ends the sequence; one that begins alike then need not compute it again.
  std::function<void()> keep = [] {};
};

/// Sequences that grow together, in places that are numbered from 0.
struct TokenBatch {
  struct Step {
    std::size_t place;
    bool begins;                   // a sequence without tokens; the place's last one is forgotten
    std::span<const int32_t> ids;  // one at least
  };
  /// The logits [steps, vocabulary] after the last of each step's ids.
  std::function<std::vector<float>(std::span<const Step> steps)> extend;
};

/// A causal language model over tokens. Calls come one at a time.
struct TokenModel {
  int64_t context = 0;                                          // tokens of a sequence at most
  std::function<TokenSequence()> begin;                         // a sequence without tokens
  std::function<TokenBatch(std::size_t places)> begin_batch{};  // empty: it has none
  /// Sum of ln p(ids[i] | ids[0 … i-1]) over i >= first; at most context + 1 ids, first >= 1.
  std::function<double(std::span<const int32_t> ids, int64_t first)> log_likelihood;
  /// Bytes of what sequences remember, of a kept one too.
  std::function<int64_t()> cached_bytes = [] { return int64_t{0}; };
};

/// Draws from softmax(logits / temperature); temperature 0 takes the largest (the first of equals).
int32_t sample_token(std::span<const float> logits, double temperature, Rng& rng);

/// Text that goes on from `prompt` by at most options.max_new_tokens tokens, fewer where the
/// model's context ends. A sequence that was cancelled is not kept. It ends at the tokenizer's
/// end-of-text token and at those of `endings`. An empty prompt begins with the end-of-text token.
/// Throws Error{data} if the prompt leaves no room for one token.
std::string generate(const TokenModel& model, const Tokenizer& tokenizer, std::string_view prompt,
                     const GenerateOptions& options,
                     const std::function<bool(std::string_view)>& on_text = {},
                     const std::vector<int32_t>& endings = {});

/// The texts that generate() gives each prompt for itself, up to kSequencesTogether at a time: one
/// that ends makes room for the next. Nothing is kept.
std::vector<std::string> generate_batch(const TokenModel& model, const Tokenizer& tokenizer,
                                        std::span<const std::string> prompts,
                                        const GenerateOptions& options,
                                        const std::vector<int32_t>& endings = {});
inline constexpr std::size_t kSequencesTogether = 16;

/// ln p(target | context). Windows of the model's context, each beginning half a window after the
/// one before, so every token but the first has at least half a window in front of it.
Likelihood likelihood(const TokenModel& model, const Tokenizer& tokenizer, std::string_view context,
                      std::string_view target);

/// Both, over a model that lives as long as the functions.
LanguageModel language_model(TokenModel model, std::shared_ptr<const Tokenizer> tokenizer,
                             std::vector<int32_t> endings = {});

}  // namespace cupel::llm
