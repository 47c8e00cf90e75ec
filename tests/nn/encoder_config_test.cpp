#include "nn/encoder_config.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"

namespace cupel::nn {
namespace {

TEST(EncoderConfig, MissingKeysStandForThoseOfBertBase) {
  const EncoderConfig config = parse_encoder_config("{}", "config.json");
  EXPECT_EQ(config.hidden_size, 768);
  EXPECT_EQ(config.max_seq_length, 512);
  EXPECT_EQ(parse_encoder_config(R"({"max_position_embeddings": 40})", "c").max_seq_length, 40);
}

TEST(EncoderConfig, ModelsOfAnotherKindAreRefusedByName) {
  const auto refused = [](const char* text, const char* message) {
    EXPECT_THAT([=] { parse_encoder_config(text, "m/config.json"); },
                throws_error(ErrorKind::data, message));
  };
  refused(R"({"model_type": "roberta"})",
          "m/config.json: model_type \"roberta\" is not supported; only \"bert\" is");
  refused(R"({"hidden_act": "relu"})", "hidden_act \"relu\" is not supported");
  refused(R"({"position_embedding_type": "relative_key"})", "only \"absolute\" is");
  refused(R"({"is_decoder": true})", "is_decoder true is not supported; only false is");
  refused(R"({"hidden_size": 100, "num_attention_heads": 12})",
          "hidden_size 100 is no multiple of 12 attention heads");
  refused(R"({"num_hidden_layers": 0})", "num_hidden_layers: 0 is not in 1 to 1024");
  refused(R"({"layer_norm_eps": 0.0})", "layer_norm_eps: 0.0 is not between 0 and 1");
  refused("[]", "m/config.json");
}

TEST(EncoderConfig, TheLimitAndThePoolingOfSentenceTransformersCount) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { read_encoder_config(folder.path()); },
              throws_error(ErrorKind::config, "folder has no config.json"));
  folder.write("config.json", R"({"max_position_embeddings": 64})");
  EXPECT_EQ(read_encoder_config(folder.path()).max_seq_length, 64);
  folder.write("sentence_bert_config.json", R"({"max_seq_length": 32})");
  EXPECT_EQ(read_encoder_config(folder.path()).max_seq_length, 32);
  folder.write("sentence_bert_config.json", R"({"max_seq_length": 100})");
  EXPECT_EQ(read_encoder_config(folder.path()).max_seq_length, 64);
  folder.write("1_Pooling/config.json",
               R"({"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": false})");
  EXPECT_EQ(read_encoder_config(folder.path()).hidden_size, 768);
  folder.write("1_Pooling/config.json", R"({"pooling_mode_mean_tokens": false})");
  EXPECT_THAT([&] { read_encoder_config(folder.path()); },
              throws_error(ErrorKind::data, "pooling_mode_mean_tokens false is not supported"));
}

}  // namespace
}  // namespace cupel::nn
