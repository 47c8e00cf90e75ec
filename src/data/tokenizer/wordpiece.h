// Text to the token ids of a BERT model: whole words, or the longest pieces that make them up.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/tokenizer/added_tokens.h"
#include "data/tokenizer/bert_text.h"
#include "data/tokenizer/post_processor.h"
#include "data/tokenizer/wordpiece_model.h"

namespace cupel {

/// WordPiece with the normalizer and the words of BERT, for the encoder: a vocab.txt too, and no
/// more work than `max_tokens` need. Immutable: threads may share one. `truncation` and `padding`
/// of the file are left out: whoever makes batches decides about both.
class WordPiece {
 public:
  /// `path`: a tokenizer.json, a vocab.txt, or a folder with either; tokenizer.json goes first. A
  /// vocab.txt takes lower case and accents from the tokenizer_config.json beside it. Throws
  /// Error{config} for a missing file, Error{data} for any other model or component.
  static WordPiece load(const std::filesystem::path& path);
  /// The text of a tokenizer.json.
  static WordPiece parse(std::string_view text, const std::string& where);
  /// The text of a vocab.txt, one token a line, and of a tokenizer_config.json, or empty.
  static WordPiece parse_vocabulary(std::string_view text, const std::string& where,
                                    std::string_view config = {});

  /// With what the post-processor puts around a text ([CLS] … [SEP]); at most `max_tokens` in all,
  /// of which those around the text are never cut. Throws Error{data} for malformed UTF-8.
  std::vector<int32_t> encode(std::string_view text, int64_t max_tokens = INT64_MAX) const;

  /// One more than the largest id: the number of rows that an embedding needs.
  int64_t vocab_size() const { return static_cast<int64_t>(size_); }

 private:
  WordPiece(BertNormalizer normalizer, WordPieceModel model)
      : normalizer_(std::move(normalizer)),
        model_(std::move(model)),
        size_(model_.tokens().size()) {}
  void add_token(const AddedToken& token, const std::string& where);
  void encode_stretch(std::string_view text, std::size_t limit, std::vector<int32_t>& ids) const;

  BertNormalizer normalizer_;
  WordPieceModel model_;
  std::size_t size_;
  AddedTokenFinder added_;
  Surroundings around_;
};

}  // namespace cupel
