#include "train/train.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/config_yaml.h"
#include "support/errors.h"

namespace cupel::train {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

Config good_config() {
  Config config;
  config.model.emplace();
  config.datasets.push_back({.path = {"corpus.txt"}});
  return config;
}

TEST(TrainConfig, ANewModelAndADataSetAreEnough) {
  EXPECT_THAT(good_config().problems(), IsEmpty());
}

TEST(TrainConfig, AsksForAModel) {
  Config config = good_config();
  config.model.reset();
  EXPECT_THAT(config.problems(), Contains(HasSubstr("give model")));
}

TEST(TrainConfig, RefusesTwoModelsAtOnce) {
  Config config = good_config();
  config.base_model = {"model"};
  EXPECT_THAT(config.problems(), Contains(HasSubstr("not both")));
}

TEST(TrainConfig, AdaptsABaseModelAlone) {
  Config config = good_config();
  config.adapter = Adapter::lora;
  EXPECT_THAT(config.problems(), Contains(HasSubstr("adapter: lora adapts a trained model")));
  config.model.reset();
  config.base_model = {"model"};
  EXPECT_THAT(config.problems(), IsEmpty());
  config.lora_target_modules.clear();
  EXPECT_THAT(config.problems(), Contains(HasSubstr("lora_target_modules: empty")));
}

TEST(TrainConfig, ReadsTheAdapterAsOtherToolsWriteIt) {
  const auto read = [](const std::string& text) {
    Config config;
    yaml::read_struct(
        yaml::parse("{base_model: m, datasets: [{path: a.txt}], adapter: lora, " + text + "}", "r"),
        config, {"train", {}});
    return config.adapter_config();
  };
  const std::vector<std::string> all{"all-linear"}, two{"q_proj", "v_proj"};
  EXPECT_EQ(read("lora_r: 4").targets, all);
  EXPECT_EQ(read("lora_r: 4").alpha, 8);
  EXPECT_EQ(read("lora_rank: 4, lora_alpha: 3").alpha, 3);
  EXPECT_EQ(read("lora_target: all").targets, all);
  EXPECT_EQ(read("lora_target: 'q_proj,v_proj'").targets, two);
  EXPECT_EQ(read("lora_target_modules: [q_proj, v_proj]").targets, two);
  EXPECT_EQ(read("lora_target_modules: all-linear").targets, all);
}

TEST(TrainConfig, RefusesATokenizerThatIsBothReadAndTrained) {
  Config config = good_config();
  config.tokenizer = {{"tokenizer.json"}, 512};
  EXPECT_THAT(config.problems(), Contains("tokenizer: give a path or a vocab_size, not both"));
}

TEST(TrainConfig, NamesTheDataSetWithoutAPath) {
  Config config = good_config();
  config.datasets.emplace_back();
  EXPECT_THAT(config.problems(), Contains("datasets[1].path: missing; name a file"));
}

TEST(TrainConfig, RefusesSequencesLongerThanThePositions) {
  Config config = good_config();
  config.sequence_len = config.model->max_position_embeddings + 1;
  EXPECT_THAT(config.problems(), Contains(HasSubstr("sequence_len is longer")));
}

TEST(TrainConfig, RefusesALossScaleOutsideItsBounds) {
  Config config = good_config();
  config.loss_scale.emplace();
  config.loss_scale->initial = 1;
  config.loss_scale->min_scale = 2;
  EXPECT_THAT(config.problems(), Contains("loss_scale.initial is below loss_scale.min_scale"));
}

TEST(TrainConfig, RefusesDataSetsThatAllHaveNoWeight) {
  Config config = good_config();
  config.datasets[0].weight = 0;
  EXPECT_THAT(config.problems(), Contains("datasets: every weight is 0; give one that is above"));
}

TEST(TrainReport, ShowsEachSampleOnThreeLines) {
  Report report;
  EXPECT_EQ(report.details(), "");
  report.samples = {{"ROMEO:\n", "x\x1b[2J", "O, speak"}};
  EXPECT_EQ(report.details(),
            "  sample  ROMEO:⏎\n"
            "  before  x [2J\n"
            "  after   O, speak\n");
}

TEST(TrainConfig, ANameOfAnotherToolIsRefusedWithItsHintAndIsNoSettingHere) {
  std::set<std::string_view> names;
  for_each_field<Config>([&](const auto& field) {
    names.insert(field.name);
    names.insert(field.aliases.begin(), field.aliases.end());
  });
  for (const auto& [name, hint] : Config::kElsewhere) {
    EXPECT_TRUE(names.insert(name).second) << name;
    const std::string text = std::string(name) + ": 1";
    const auto read = [&] {
      Config config;
      yaml::read_struct(yaml::parse(text, "recipe.yaml"), config, {"train", ""});
    };
    EXPECT_THAT(read, throws_error(ErrorKind::config,
                                   "recipe.yaml:1:1: \"train." + std::string(name) +
                                       "\" is a setting of other tools; " + std::string(hint)));
  }
}

}  // namespace
}  // namespace cupel::train
