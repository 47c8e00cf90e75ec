// The merges of a SentencePiece BPE model, which stores scores of pieces instead of merges.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cupel {

using PieceMerge = std::pair<std::string_view, std::string_view>;

/// Every way to make a piece of two others, the best first: by score of the piece, then by the
/// characters of both halves, all descending, else by id. transformers' conversion of
/// LlamaTokenizer does so. `pieces` by id, empty where an id is not to be merged; one score each.
/// Throws Error{data} naming `where` for a piece of more than 256 bytes: the work grows with the
/// square of its length.
std::vector<PieceMerge> sentencepiece_merges(const std::vector<std::string_view>& pieces,
                                             const std::vector<double>& scores,
                                             const std::string& where);

}  // namespace cupel
