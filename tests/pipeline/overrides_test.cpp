#include "pipeline/overrides.h"

#include <gmock/gmock.h>

#include "support/errors.h"
#include "support/requests.h"

namespace cupel::pipeline {
namespace {

using testing::HasSubstr;

const std::string kHookAndTraining = "augment: {epsilon: 0.2}\n" + kTrainSection;

/// Of the first stage that `cupel VERB recipe.yaml WORD…` leaves.
TrainStage overridden(const std::string& recipe, std::vector<std::string> words,
                      const std::string& verb = "run") {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const Request request = request_for(folder, verb, recipe, std::move(words));
  return settings_of<TrainStage>(request.recipe.stages.at(0), request.recipe);
}

std::string override_error(const std::string& recipe, const std::string& word,
                           const std::string& verb = "run") {
  try {
    overridden(recipe, {word}, verb);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    return error.what();
  }
  return "no error";
}

TEST(Overrides, ReachTheHookOfATrainingByTheNameOfItsSection) {
  for (const char* verb : {"run", "train", "validate", "plan"}) {
    const TrainStage train =
        overridden(kHookAndTraining, {"--augment.method=pgd", "--augment.steps=4"}, verb);
    EXPECT_EQ(train.augment->method, augment::EmbeddingMethod::pgd) << verb;
    EXPECT_EQ(train.augment->steps, 4) << verb;
    EXPECT_EQ(train.augment->epsilon, 0.2) << "the recipe's, " << verb;
  }
  EXPECT_EQ(overridden("augment:\n" + kTrainSection, {"--augment.epsilon=3"}).augment->epsilon, 3);
  EXPECT_EQ(overridden(kHookAndTraining, {"--train.augment.epsilon=3"}).augment->epsilon, 3);
}

TEST(Overrides, ReachTheHookOfEveryTraining) {
  const std::string stages =
      "stages:\n  - augment: {epsilon: 0.2}\n"
      "  - train: {model: {}, datasets: [{type: arithmetic}]}\n"
      "  - train: {base_model: \"${train.model}\", datasets: [{type: arithmetic}]}\n";
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const Recipe recipe = request_for(folder, "run", stages, {"--augment.epsilon=0.5"}).recipe;
  ASSERT_EQ(recipe.stages.size(), 2u);
  for (const Stage& stage : recipe.stages)
    EXPECT_EQ(settings_of<TrainStage>(stage, recipe).augment->epsilon, 0.5);
}

TEST(Overrides, OfAHookAreCheckedAsItsSettingsAre) {
  EXPECT_EQ(override_error(kHookAndTraining, "--augment.epsilom=1"),
            "--augment.epsilom: unknown key \"train.augment.epsilom\", did you mean "
            "\"train.augment.epsilon\"?");
  EXPECT_THAT(override_error(kHookAndTraining, "--augment.x=1"),
              HasSubstr("--augment.x: unknown key \"train.augment.x\""));
  EXPECT_THAT(override_error(kHookAndTraining, "--augment.epsilon=-1"),
              HasSubstr("--augment.epsilon"));
  EXPECT_THAT(override_error(kHookAndTraining, "--augment.steps=2"), HasSubstr("fgsm takes one"));
}

TEST(Overrides, OfASettingThatIsNoSectionHereNameWhereItStands) {
  EXPECT_EQ(override_error(kTrainSection + "  augment: pgd\n", "--augment.epsilon=1"),
            "--augment.epsilon: this command runs no section \"augment\"; the setting of \"train\" "
            "is written --train.augment.epsilon=VALUE");
  EXPECT_EQ(override_error(kTrainSection, "--curate.input=a.jsonl"),
            "--curate.input: this command runs no section \"curate\"; remove it, or add the "
            "section to the recipe");
}

TEST(Overrides, AHookIsNoStageOfItsOwn) {
  EXPECT_THAT(override_error(kHookAndTraining, "--epsilon=1", "augment"),
              HasSubstr("has a section \"augment\" without rows, which belongs to the training "
                        "beside it; run it with cupel train or cupel run, or give it rows: input "
                        "(a table) or simulate"));
}

TEST(Overrides, NeedAValueUnlessTheyNameASettingOfYesOrNo) {
  const Verb& train = find_verb("train");
  EXPECT_EQ(with_value("--max_steps=5", train), "--max_steps=5");
  EXPECT_EQ(with_value("--sample-packing", train), "--sample-packing=true");
  for (const char* word : {"--datasets", "--train.max_steps", "--train.sample_packing"})
    EXPECT_THROW(with_value(word, train), Error) << word;
}

}  // namespace
}  // namespace cupel::pipeline
