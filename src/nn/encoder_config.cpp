#include "nn/encoder_config.h"

#include <algorithm>
#include <bit>
#include <string>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json.h"

namespace cupel::nn {
namespace {

constexpr int64_t kMostConfigBytes = 1 << 20;

/// The member if it is there and not null.
const json::Value* given(const json::Value& object, std::string_view key) {
  const json::Value* value = object.find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

int64_t size_of(const json::Value& object, std::string_view key, int64_t otherwise, int64_t most,
                std::string_view where) {
  const json::Value* value = given(object, key);
  if (value == nullptr) return otherwise;
  const std::string here = std::string(where) + ": " + std::string(key);
  const int64_t size = value->as_int(here);
  if (size < 1 || size > most) {
    fail(ErrorKind::data, here, std::to_string(size) + " is not in 1 to " + std::to_string(most),
         "this is no model that can be loaded");
  }
  return size;
}

/// Fails unless the member is missing or has this value.
void require(const json::Value& object, std::string_view key, const json::Value& wanted,
             std::string_view where) {
  const json::Value* value = given(object, key);
  if (value == nullptr || *value == wanted) return;
  fail(ErrorKind::data, std::string(where),
       std::string(key) + " " + json::dump(*value) + " is not supported",
       "only " + json::dump(wanted) + " is");
}

/// What compress writes beside weights in 4-bit codes.
void read_quantisation(const json::Value& root, EncoderConfig& config, std::string_view where) {
  const json::Value* stored = given(root, "quantization_config");
  if (stored == nullptr) return;
  const std::string place = std::string(where) + ": quantization_config";
  require(*stored, "quant_method", "cupel_cb4", place);
  config.w4a8 = true;
  config.group_size = size_of(*stored, "group_size", config.group_size, 512, place);
  const bool known =
      config.group_size % 32 == 0 && std::has_single_bit(static_cast<uint64_t>(config.group_size));
  if (!known) {
    fail(ErrorKind::data, place, "group_size " + std::to_string(config.group_size),
         "known: 32, 64, 128, 256, 512");
  }
}

json::Value read_json(const std::filesystem::path& path) {
  return json::parse(read_file(path, kMostConfigBytes), path.string());
}

}  // namespace

EncoderConfig parse_encoder_config(std::string_view text, std::string_view where) {
  const json::Value root = json::parse(text, where);
  root.as_object(where);
  require(root, "model_type", "bert", where);
  require(root, "hidden_act", "gelu", where);
  require(root, "position_embedding_type", "absolute", where);
  require(root, "is_decoder", false, where);
  EncoderConfig config;
  const auto read = [&](std::string_view key, int64_t& size, int64_t most) {
    size = size_of(root, key, size, most, where);
  };
  read("vocab_size", config.vocab_size, 1 << 22);
  read("hidden_size", config.hidden_size, 1 << 16);
  read("num_hidden_layers", config.num_hidden_layers, 1 << 10);
  read("num_attention_heads", config.num_attention_heads, 1 << 12);
  read("intermediate_size", config.intermediate_size, 1 << 16);
  read("max_position_embeddings", config.max_position_embeddings, 1 << 16);
  read("type_vocab_size", config.type_vocab_size, 1 << 10);
  const std::string epsilon = std::string(where) + ": layer_norm_eps";
  if (const json::Value* value = given(root, "layer_norm_eps")) {
    config.layer_norm_eps = value->as_double(epsilon);
    if (!(config.layer_norm_eps > 0 && config.layer_norm_eps < 1)) {
      fail(ErrorKind::data, epsilon, json::dump(*value) + " is not between 0 and 1",
           "this is no model that can be loaded");
    }
  }
  if (config.hidden_size % config.num_attention_heads != 0) {
    fail(ErrorKind::data, std::string(where),
         "hidden_size " + std::to_string(config.hidden_size) + " is no multiple of " +
             std::to_string(config.num_attention_heads) + " attention heads",
         "this is no model that can be loaded");
  }
  config.max_seq_length = config.max_position_embeddings;
  read_quantisation(root, config, where);
  return config;
}

EncoderConfig read_encoder_config(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "config.json";
  if (!std::filesystem::exists(file)) {
    fail(ErrorKind::config, folder.string(), "folder has no config.json",
         "name the folder of a BERT model");
  }
  EncoderConfig config = parse_encoder_config(read_file(file, kMostConfigBytes), file.string());
  const std::filesystem::path limits = folder / "sentence_bert_config.json";
  if (std::filesystem::exists(limits)) {
    config.max_seq_length =
        std::min(config.max_seq_length, size_of(read_json(limits), "max_seq_length",
                                                config.max_seq_length, 1 << 16, limits.string()));
  }
  const std::filesystem::path pooling = folder / "1_Pooling" / "config.json";
  if (std::filesystem::exists(pooling)) {
    const json::Value root = read_json(pooling);
    require(root, "pooling_mode_mean_tokens", true, pooling.string());
    require(root, "pooling_mode_cls_token", false, pooling.string());
    require(root, "pooling_mode_max_tokens", false, pooling.string());
    require(root, "pooling_mode_mean_sqrt_len_tokens", false, pooling.string());
  }
  return config;
}

}  // namespace cupel::nn
