#include "train/classify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"

namespace cupel::train {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kFixture = std::string(CUPEL_SOURCE_DIR) + "/tests/fixtures/classify";

Config classifying() {
  Config config;
  config.task = Task::classify;
  config.base_model = {kFixture};
  config.datasets = {{.path = {"rows.csv"}, .text_field = "body", .label_field = "kind"}};
  config.sequence_len = 32;
  return config;
}

TEST(Classify, TakesWhatItHasAMeaningFor) {
  Config config = classifying();
  config.excess_length_strategy = ExcessLength::truncate;
  config.dropout = 0.1;
  config.gradient_checkpointing = true;
  config.datasets[0].weight = 2;
  config.datasets[0].columns = {"body", "kind"};
  EXPECT_THAT(config.problems(), IsEmpty());
}

TEST(Classify, NamesEverySettingThatItHasNoMeaningFor) {
  Config config = classifying();
  config.sample_packing = false;
  config.train_on_inputs = true;
  config.chat_template = "chatml";
  config.chat_template_jinja = {"x"};
  config.mtp_loss_weight = 1;
  config.router_bias_update_rate = 0.1;
  config.samples.prompts = {"a"};
  config.datasets[0].type = DatasetType::chat;
  config.datasets[0].prompt_field = "p";
  config.datasets[0].roles_to_train = {"user"};
  config.datasets[0].message_property_mappings = {{"role", "from"}};
  const std::vector<std::string> problems = config.problems();
  for (const char* name : {"sample_packing", "train_on_inputs", "chat_template",
                           "chat_template_jinja", "mtp_loss_weight", "router_bias_update_rate",
                           "samples", "datasets[0].type", "datasets[0].prompt_field",
                           "datasets[0].roles_to_train", "datasets[0].message_property_mappings"}) {
    EXPECT_THAT(problems,
                Contains(std::string(name) + ": no setting of task: classify; leave it out"));
  }
}

TEST(Classify, ARowIsOneLabelSoItIsNotSplit) {
  Config config = classifying();
  config.excess_length_strategy = ExcessLength::split;
  EXPECT_THAT(config.problems(), ElementsAre(HasSubstr("choose drop, truncate or raise")));
}

TEST(Classify, WantsABertAndItsTokenizer) {
  Config config = classifying();
  config.base_model = {};
  EXPECT_THAT(config.problems(),
              ElementsAre(HasSubstr("give base_model: <folder of a BERT model>")));
  config.model.emplace();
  config.model->family = "llama";
  EXPECT_THAT(config.problems(), ElementsAre("model.family: task: classify trains bert, not llama",
                                             HasSubstr("tokenizer: a new classifier needs one")));
  config.model->family = "bert";
  config.tokenizer.path = {"tokenizer.json"};
  EXPECT_THAT(config.problems(), IsEmpty());
  EXPECT_THAT(config.model->problems(), IsEmpty());
  config.tokenizer = {.path = {}, .vocab_size = 300};
  EXPECT_THAT(config.problems(), ElementsAre(HasSubstr("trains no tokenizer")));
  config.task = Task::causal_lm;
  EXPECT_THAT(config.problems(), ElementsAre("model.family: bert is trained under task: classify",
                                             HasSubstr("datasets[0].label_field: no setting")));
}

TEST(Classify, AnEncoderRefusesSettingsOfDecoders) {
  llm::ModelConfig model;
  model.family = "bert";
  model.hidden_size = 30;
  model.num_attention_heads = 2;  // heads of 15
  EXPECT_THAT(model.problems(), IsEmpty());
  model.rope_theta = 5;
  model.rms_norm_eps = 1e-5;
  model.tie_word_embeddings = true;
  model.head_dim = 8;
  EXPECT_THAT(model.problems(),
              ElementsAre("rope_theta is no setting of family bert; leave it out",
                          "rms_norm_eps is no setting of family bert; leave it out",
                          "tie_word_embeddings is no setting of family bert; leave it out",
                          "head_dim is no setting of family bert; leave it out"));
  model = {};
  model.family = "bert";
  model.hidden_size = 30;
  EXPECT_THAT(model.problems(), Contains(HasSubstr("num_attention_heads does not divide")));
}

TEST(Classify, ResolvesTheModelOfAFolderAndThatOfARecipe) {
  Config config = classifying();
  nn::ClassifierConfig model = resolve_classifier(config, 81, {"a", "b", "c"});
  EXPECT_EQ(model.encoder.hidden_size, 24);
  EXPECT_THAT(model.labels, ElementsAre("a", "b", "c"));
  EXPECT_THAT([&] { resolve_classifier(config, 1000, {"a"}); },
              throws_error(ErrorKind::config, "is less than the tokenizer's 1000"));
  config.sequence_len = 33;
  EXPECT_THAT([&] { resolve_classifier(config, 80, {"a"}); },
              throws_error(ErrorKind::config, "33 is more than the model's 32 positions"));
  config.base_model = {};
  config.model.emplace();
  config.model->family = "bert";
  model = resolve_classifier(config, 77, {"a", "b"});
  EXPECT_EQ(model.encoder.vocab_size, 77);
  EXPECT_EQ(model.encoder.max_position_embeddings, config.model->max_position_embeddings);
}

}  // namespace
}  // namespace cupel::train
