// Text to token ids and back, as a Hugging Face tokenizer.json describes it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/parallel.h"
#include "data/corpus.h"

namespace cupel {

/// How a byte-level BPE is trained. The result does not depend on the order of documents or on
/// threads.
struct BpeTrainOptions {
  int32_t vocab_size = 2048;  // special tokens and the 256 bytes included
  int64_t min_frequency = 2;  // of a pair that becomes a token
  std::string pattern;        // what words are; empty: that of Qwen 2, one digit a word
  std::vector<std::string> special_tokens{"<|endoftext|>"};  // get the first ids
  std::string eos_token = "<|endoftext|>";                   // one of these, or empty
  std::string bos_token;
  std::function<void()> poll{};  // called now and then, on any thread; may throw to end it
};

/// Hands over documents one by one.
using DocumentSource = std::function<void(const std::function<void(Document&&)>&)>;

/// The last place in `text` where a line begins with a letter and the line before it ends with a
/// character that is not white space; 0 if there is none. `text` is valid UTF-8. Byte-level BPE
/// with a well-known pattern never sees across such a place.
std::size_t last_line_cut(std::string_view text);

/// Immutable: threads may share one. BPE over bytes (GPT-2, Llama 3, Qwen, DeepSeek) or characters
/// (Llama 2), and WordPiece (BERT), with the components that their files use; any other is an
/// Error{data} that names it and the known ones. Ids and texts are those of Hugging Face's
/// tokenizers. `truncation` and `padding` of the file are left out: whoever makes batches decides
/// about both.
class Tokenizer {
 public:
  /// `path`: a tokenizer.json, or a folder that holds one. A tokenizer_config.json beside it names
  /// the tokens that begin and end a text.
  static Tokenizer load(const std::filesystem::path& path);
  /// `config` is the text of a tokenizer_config.json, or empty.
  static Tokenizer parse(std::string_view text, const std::string& where,
                         std::string_view config = {});

  /// Learns merges as tokenizers' BpeTrainer does (same counts, same tie-breaks, same ids).
  /// Throws Error{config} for options that cannot be met, Error{data} for an empty corpus.
  static Tokenizer train(const std::vector<Document>& documents, const BpeTrainOptions& options,
                         ThreadPool* pool = nullptr);

  /// The same, in memory that does not grow with the text but for its words.
  static Tokenizer train_on(const DocumentSource& documents, const BpeTrainOptions& options,
                            ThreadPool* pool = nullptr);

  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  /// `special`: with what the post-processor puts around a text (Llama's <|begin_of_text|>).
  /// `poll` is called now and then and may throw to end it. Throws Error{data} for malformed UTF-8
  /// and for what the vocabulary has no token for, where it names no unknown one.
  std::vector<int32_t> encode(std::string_view text, bool special = false,
                              const std::function<void()>& poll = {}) const;

  /// The last place where `text` may be cut so that its two parts, each encoded for itself, give
  /// the ids of the whole; 0 if there is none, or if this tokenizer's rules do not tell.
  std::size_t last_cut(std::string_view text) const;

  /// Valid UTF-8: bytes that are none become U+FFFD. Ids without a token give nothing. Where the
  /// decoder looks at several tokens, as Llama 2's takes the first space away, the text is not that
  /// of token_bytes() joined.
  std::string decode(std::span<const int32_t> ids, bool skip_special = false) const;
  /// The bytes of one token, for streaming: a character may be spread over several.
  std::string_view token_bytes(int32_t id) const;

  /// One more than the largest id: the number of rows that an embedding needs.
  int32_t vocab_size() const;
  std::optional<int32_t> token_to_id(std::string_view token) const;
  bool is_special(int32_t id) const;
  std::optional<int32_t> bos_id() const;
  std::optional<int32_t> eos_id() const;
  /// What a model of this tokenizer expects before a text: the post-processor's tokens, or the
  /// beginning-of-text token where tokenizer_config.json has add_bos_token. Mostly nothing.
  const std::vector<int32_t>& prefix() const;

  /// tokenizer.json and tokenizer_config.json in `folder`, which exists: byte for byte what was
  /// loaded.
  void save(const std::filesystem::path& folder) const;
  /// The text of the tokenizer.json.
  const std::string& json() const;
  /// The text of the tokenizer_config.json, or empty.
  const std::string& config() const;

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cupel
