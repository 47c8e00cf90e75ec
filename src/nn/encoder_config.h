// The shape of a sentence encoder, as the folder of a BERT model describes it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace cupel::nn {

/// Under the names of config.json; defaults are those of transformers' BertConfig.
struct EncoderConfig {
  int64_t vocab_size = 30522;
  int64_t hidden_size = 768;
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 12;
  int64_t intermediate_size = 3072;
  int64_t max_position_embeddings = 512;
  int64_t type_vocab_size = 2;
  double layer_norm_eps = 1e-12;
  int64_t max_seq_length = 512;  // tokens of a text, [CLS] and [SEP] included
  bool w4a8 = false;             // linear layers are stored in 4-bit codes, for 8-bit activations
  int64_t group_size = 32;       // depths of those that share a scale
};

/// The text of a config.json. Throws Error{data} for what is no BERT: another model_type,
/// activation or kind of position, or a decoder; for a quantization_config that is not compress's.
EncoderConfig parse_encoder_config(std::string_view text, std::string_view where);

/// config.json, and what sentence-transformers lays beside it: max_seq_length of
/// sentence_bert_config.json, and 1_Pooling/config.json, which must ask for the mean. Throws
/// Error{config} for a missing config.json.
EncoderConfig read_encoder_config(const std::filesystem::path& folder);

}  // namespace cupel::nn
