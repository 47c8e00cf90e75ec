// Streams of tokens from what a test writes down, and back.
#pragma once

#include <cstdint>
#include <vector>

#include "data/token_shards.h"

namespace cupel {

/// A document each: ids, and from which of them on they are learned.
struct DocumentTokens {
  std::vector<int32_t> ids;
  std::size_t learned_from = 0;
};

inline TokenShards token_stream(const std::vector<DocumentTokens>& documents,
                                int64_t vocab_size = 200000, int64_t capacity = 0) {
  TokenShardWriter writer({}, "test", vocab_size, capacity);
  for (const DocumentTokens& document : documents) {
    std::vector<uint8_t> learned(document.ids.size());
    for (std::size_t i = document.learned_from; i < learned.size(); ++i) learned[i] = 1;
    writer.begin_document();
    writer.append(document.ids, learned);
  }
  return writer.finish();
}

inline std::vector<int32_t> ids_of(const TokenShards& stream) {
  std::vector<int32_t> ids(static_cast<std::size_t>(stream.tokens()));
  stream.read_ids(0, ids);
  return ids;
}

inline std::vector<uint8_t> learned_of(const TokenShards& stream) {
  std::vector<uint8_t> learned(static_cast<std::size_t>(stream.tokens()));
  stream.read_learned(0, learned);
  return learned;
}

inline std::vector<int64_t> begins_of(const TokenShards& stream) {
  std::vector<int64_t> begins;
  for (int64_t i = 0; i < stream.documents(); ++i) begins.push_back(stream.document(i));
  return begins;
}

}  // namespace cupel
