// One sequence of a decoder: what it remembers of its tokens, and the token it guesses ahead.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "nn/llm/decoder_forward.h"

namespace cupel::llm {

/// The sequence that ended last, for one that begins alike.
struct KeptSequence {
  std::vector<int32_t> ids;  // whose keys and values `cache` holds
  KeyValueCache cache;
  int64_t predicted = 0;  // tokens at the front that have been through the prediction layer
};

/// Logits are the same to the bit whether the front of a sequence was kept or not, and whether
/// tokens are guessed ahead or not: a guess by the prediction layer goes through the decoder beside
/// the token before it, and its logits count only if the next token is the one guessed (speculative
/// decoding with an exact test: Leviathan et al. 2023 at temperature 0; here at every temperature,
/// since the guess never changes what is drawn).
class DecoderSequence {
 public:
  /// `forward` and `weights` must outlive it; `kept` is taken from and, by keep(), given to.
  /// Guesses if `speculates` and the model has a prediction layer.
  DecoderSequence(const ModelConfig& config, const DecoderWeights& weights, DecoderForward& forward,
                  std::shared_ptr<KeptSequence> kept, bool speculates);

  /// Logits [vocab_size] after the last of `ids`, of which there is one at least.
  std::vector<float> extend(std::span<const int32_t> ids);
  /// Ends the sequence; the next that begins alike goes on from what this one has computed.
  void keep();

  /// Of keys and values.
  int64_t bytes() const { return cache_.bytes(); }
  int64_t guesses() const { return guesses_; }
  int64_t right_guesses() const { return right_; }

 private:
  std::span<const int32_t> take_kept(std::span<const int32_t> ids);
  std::optional<int32_t> guess(std::span<const int32_t> ids);
  std::vector<float> append(std::span<const int32_t> ids, std::optional<int32_t> guessed);
  void drop_guess();
  bool guesses_pay() const;
  int64_t pending() const;

  const ModelConfig& config_;
  DecoderForward& forward_;
  std::shared_ptr<KeptSequence> kept_;
  bool speculates_;
  KeyValueCache cache_;
  std::vector<int32_t> ids_;  // so far, without a guess that is yet to be confirmed
  // Of the last tokens of the cache, which have not been through the prediction layer: [pending,
  // width].
  std::vector<float> hidden_;
  struct Ahead {
    int32_t id;
    std::vector<float> logits;
  };
  std::optional<Ahead> ahead_;  // the guess at the end of the cache
  int64_t guesses_ = 0, right_ = 0;
};

}  // namespace cupel::llm
