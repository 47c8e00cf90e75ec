// The merges of a SentencePiece BPE model, which stores scores of pieces instead of merges.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cupel {

using PieceMerge = std::pair<std::string_view, std::string_view>;

/// Every way to make a piece of two others, the best first: by score of the piece, then by the ids
/// of piece, left and right half. Llama 2's published tokenizer.json has this order; later versions
/// of transformers order the ways to make one piece by length. `pieces` by id, empty where an id is
/// not to be merged; one score each. Throws Error{data} naming `where` for a piece of more than 256
/// bytes: the work grows with the square of its length.
std::vector<PieceMerge> sentencepiece_merges(const std::vector<std::string_view>& pieces,
                                             const std::vector<double>& scores,
                                             const std::string& where);

}  // namespace cupel
