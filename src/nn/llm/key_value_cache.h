// What a decoder remembers of the tokens of one sequence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cupel::llm {

/// Keys and values of a sequence, a layer each, in the element type of the decoder's products; with
/// latent attention keys alone: the normalised latent and the rotated shared key of a token.
class KeyValueCache {
 public:
  struct Layer {
    std::vector<std::byte> keys, values;
  };

  int64_t length() const { return length_; }  // tokens
  /// Bytes that it holds.
  int64_t bytes() const {
    std::size_t total = 0;
    for (const Layer& layer : layers) total += layer.keys.size() + layer.values.size();
    return static_cast<int64_t>(total);
  }
  /// Forgets the tokens from `length` on.
  void truncate(int64_t length) {
    if (length >= length_) return;
    for (Layer& layer : layers)
      for (std::vector<std::byte>* rows : {&layer.keys, &layer.values})
        rows->resize(rows->size() / static_cast<std::size_t>(length_) *
                     static_cast<std::size_t>(length));
    length_ = length;
  }
  /// Makes room for so many tokens more, of these bytes a token.
  void grow(int64_t tokens, int64_t key_bytes, int64_t value_bytes) {
    length_ += tokens;
    for (Layer& layer : layers) {
      layer.keys.resize(static_cast<std::size_t>(length_ * key_bytes));
      layer.values.resize(static_cast<std::size_t>(length_ * value_bytes));
    }
  }

  std::vector<Layer> layers;

 private:
  int64_t length_ = 0;
};

}  // namespace cupel::llm
