#include "pipeline/recipe.h"

#include <gmock/gmock.h>

#include "support/errors.h"
#include "support/requests.h"

namespace cupel::pipeline {
namespace {

using testing::HasSubstr;

TrainStage first_config(const Request& request) {
  return settings_of<TrainStage>(request.recipe.stages.at(0), request.recipe);
}

/// The error of `cupel VERB recipe.yaml OVERRIDE…`, with the folder's name cut away.
std::string error_of(const std::string& recipe, std::vector<std::string> overrides = {},
                     const std::string& verb = "run") {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  try {
    request_for(folder, verb, recipe, std::move(overrides));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    std::string text = error.what();
    const std::string prefix = folder.path().string() + "/";
    for (std::size_t at; (at = text.find(prefix)) != std::string::npos;)
      text.erase(at, prefix.size());
    return text;
  }
  return "no error";
}

Request good(const std::string& recipe, std::vector<std::string> overrides = {},
             const std::string& verb = "run") {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  return request_for(folder, verb, recipe, std::move(overrides));
}

TEST(Recipe, ASectionAugmentWithoutRowsIsAHookOfTheTrainingBesideIt) {
  for (const char* verb : {"run", "train"}) {
    const Request request = good("augment: {epsilon: 0.2}\n" + kTrainSection, {}, verb);
    ASSERT_EQ(request.recipe.stages.size(), 1u);
    EXPECT_EQ(first_config(request).augment->epsilon, 0.2);
    EXPECT_EQ(first_config(request).augment->method, augment::EmbeddingMethod::fgsm);
  }
  const Request both = good("augment: {simulate: {}}\n" + kTrainSection + "  augment: freelb\n");
  ASSERT_EQ(both.recipe.stages.size(), 2u);
  const auto train = settings_of<TrainStage>(both.recipe.stages[1], both.recipe);
  EXPECT_EQ(train.augment->method, augment::EmbeddingMethod::freelb);
  EXPECT_FALSE(first_config(good(kTrainSection)).augment.has_value());
}

TEST(Recipe, TheHookOfATrainingStandsInOnePlace) {
  EXPECT_EQ(error_of("augment: {epsilon: 0.2}\n" + kTrainSection + "  augment: {epsilon: 0.1}\n"),
            "recipe.yaml:1:1: the training has an \"augment\" of its own, at recipe.yaml:7:3; keep "
            "one of the two");
  EXPECT_THAT(error_of("augment: {epsilon: 0.2}\n"), HasSubstr("give input (a table)"));
}

TEST(Recipe, TheArticlesBlockIsASectionOfItsOwnName) {
  const Request request = good(
      "training: {precision: mixed, loss_scale: {initial: 65536, increment_period: 2000, "
      "min_scale: "
      "1}, model: {family: llama}, datasets: [{type: arithmetic}]}\n");
  EXPECT_EQ(request.recipe.stages.at(0).name, "train");
  EXPECT_EQ(first_config(request).precision, nn::Precision::mixed);
  EXPECT_EQ(first_config(request).loss_scale->increment_period, 2000);
}

TEST(Recipe, TheArticlesBlockMayStandBesideTheRestOfItsSection) {
  const Request request =
      good(kTrainSection + "training: {precision: fp16, loss_scale: {min_scale: 1}}\n");
  ASSERT_EQ(request.recipe.stages.size(), 1u);
  EXPECT_EQ(first_config(request).precision, nn::Precision::fp16);
  EXPECT_EQ(first_config(request).sequence_len, 64);
}

TEST(Recipe, OneSettingInBothPartsIsADuplicate) {
  EXPECT_EQ(error_of(kTrainSection + "training: {sequence_len: 3}\n"),
            "recipe.yaml:6:12: duplicate key \"sequence_len\", first at recipe.yaml:5:3; keep one "
            "of the two");
}

TEST(Recipe, AnOverrideNamesItsSectionOrStandsInsideItsVerb) {
  const std::vector<std::string> in_full{"--train.max_steps=5", "--training.loss_scale.initial=8"};
  EXPECT_EQ(first_config(good(kTrainSection, in_full)).max_steps, 5);
  EXPECT_EQ(first_config(good(kTrainSection, in_full)).loss_scale->initial, 8);
  const std::vector<std::string> inside{"--max-steps=5", "--loss_scale.initial=8"};
  EXPECT_EQ(first_config(good(kTrainSection, inside, "train")).max_steps, 5);
  EXPECT_EQ(first_config(good(kTrainSection, inside, "train")).loss_scale->initial, 8);
}

TEST(Recipe, ASwitchNeedsNoValue) {
  EXPECT_TRUE(first_config(good(kTrainSection, {"--gradient_checkpointing"}, "train"))
                  .gradient_checkpointing);
}

TEST(Recipe, AnOverrideReachesEveryStageOfItsSection) {
  const Request request = good(
      "stages:\n  - train: {model: {}, datasets: [{type: arithmetic}]}\n"
      "  - train: {base_model: \"${train.model}\", datasets: [{type: arithmetic}]}\n",
      {"--train.max_steps=7"});
  EXPECT_EQ(request.recipe.stages.at(1).name, "train-2");
  for (const Stage& stage : request.recipe.stages)
    EXPECT_EQ(settings_of<train::Config>(stage, request.recipe).max_steps, 7);
}

TEST(Recipe, FlagsComeBeforeTheRecipesSeedAndThreads) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  CommandLine line;
  line.verb = &find_verb("run");
  line.words = {folder.write("recipe.yaml", "seed: 3\nthreads: 2\n" + kTrainSection).string()};
  EXPECT_EQ(make_request(line, {}).recipe.seed, 3);
  EXPECT_EQ(make_request(line, {}).recipe.threads, 2);
  line.flags.seed = 9;
  EXPECT_EQ(make_request(line, {}).recipe.seed, 9);
}

TEST(Recipe, FlagsAloneAreARecipe) {
  CommandLine line;
  line.verb = &find_verb("train");
  line.overrides = {"--model.family=llama", "--datasets=[{type: arithmetic}]"};
  const Request request = make_request(line, {});
  EXPECT_EQ(first_config(request).model->family, "llama");
  EXPECT_THAT(request.recipe.text, HasSubstr("train:\n  model:\n    family: llama\n"));
}

TEST(Recipe, TheResolvedConfigIsARecipeThatResolvesToItself) {
  const std::string once = resolved_config(good("seed: 4\n" + kTrainSection).recipe);
  EXPECT_THAT(once, HasSubstr("seed: 4\ntrain:\n"));
  EXPECT_EQ(resolved_config(good(once).recipe), once);
}

TEST(Recipe, PathsOfTheResolvedConfigAreAbsolute) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  folder.write("a.txt", "gold");
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  folder.write("recipe.yaml",
               "threads: 3\ntrain: {model: {}, datasets: [{path: ./a.txt}, {type: arithmetic}]}\n");
  CommandLine line;
  line.verb = &find_verb("run");
  line.words = {"recipe.yaml"};
  line.overrides = {"--train.datasets.1.path=a.txt", "--train.datasets.1.type=text"};
  const std::string text = resolved_config(make_request(line, {}).recipe);
  std::filesystem::current_path(before);
  const std::string path = "path: " + (folder / "a.txt").string() + "\n";
  EXPECT_THAT(text, HasSubstr("threads: 3\n"));
  const std::size_t first = text.find(path);
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_NE(text.find(path, first + 1), std::string::npos) << text;
}

TEST(Recipe, TheResolvedConfigOfRepeatsIsAList) {
  const std::string stages =
      "stages:\n  - train: {model: {}, datasets: [{type: arithmetic}]}\n"
      "  - train: {base_model: \"${train.model}\", datasets: [{type: arithmetic}]}\n";
  const std::string once = resolved_config(good(stages).recipe);
  EXPECT_THAT(once, HasSubstr("base_model: \"${train.model}\""));
  EXPECT_EQ(resolved_config(good(once).recipe), once);
}

TEST(RecipeErrors, SectionsAreNamedWithTheirPlace) {
  EXPECT_EQ(error_of("seed: 1\ntrian: {}\n"),
            "recipe.yaml:2:1: unknown section \"trian\", did you mean \"train\"?");
  EXPECT_EQ(
      error_of("xyzzy: {}\n"),
      "recipe.yaml:1:1: unknown section \"xyzzy\"; known: curate, augment, train, compress, eval, "
      "export, claims, stages, seed, threads");
  EXPECT_EQ(error_of(kTrainSection, {"--trian.max_steps=5"}),
            "--trian.max_steps: unknown section \"trian\", did you mean \"train\"?");
}

TEST(RecipeErrors, NothingToRunIsAnError) {
  EXPECT_EQ(error_of(""),
            "recipe.yaml: an empty recipe; write a section, or begin with cupel init");
  EXPECT_EQ(error_of("seed: 1\n"),
            "recipe.yaml: a recipe without a section; write one, or begin with cupel init");
  EXPECT_THAT(error_of("- train\n"), HasSubstr("recipe.yaml:1:1: the recipe must be a map"));
}

TEST(RecipeErrors, AnEmptySectionLacksWhatHasNoDefault) {
  EXPECT_EQ(error_of("train:\n"),
            "recipe.yaml:1:1: train: give model: {family: deepseek_v3, …} or base_model: <folder>; "
            "datasets: at least one is needed");
}

TEST(RecipeErrors, AListOfStagesHoldsMapsOfOneKeyAndStandsAlone) {
  EXPECT_EQ(error_of("stages: {train: {}}\n"),
            "recipe.yaml:1:9: \"stages\" must be a list, not a map; write it in brackets, as in "
            "[a, b]");
  EXPECT_EQ(error_of("stages: [train]\n"),
            "recipe.yaml:1:10: a stage must be a map with one key; write it as in - train: {…}");
  EXPECT_EQ(error_of("stages: []\ntrain: {}\n"),
            "recipe.yaml:2:1: section \"train\" beside \"stages\" at recipe.yaml:1:1; move it into "
            "the list");
}

TEST(RecipeErrors, SettingsAreCheckedWhereverTheyCameFrom) {
  EXPECT_EQ(error_of(kTrainSection + "  max_stpes: 5\n"),
            "recipe.yaml:6:3: unknown key \"max_stpes\", did you mean \"max_steps\"?");
  EXPECT_EQ(
      error_of(kTrainSection, {"--train.max_stpes=5"}),
      "--train.max_stpes: unknown key \"train.max_stpes\", did you mean \"train.max_steps\"?");
  EXPECT_EQ(error_of(kTrainSection, {"--max_stpes=5"}, "train"),
            "--max_stpes: unknown key \"train.max_stpes\", did you mean \"train.max_steps\"?");
}

TEST(RecipeErrors, AWordThatIsNoFlagGetsTheNearest) {
  EXPECT_EQ(error_of(kTrainSection, {"--jsn"}), "--jsn: unknown flag; did you mean --json?");
  EXPECT_EQ(error_of(kTrainSection, {"--sed=5"}, "train"),
            "--sed: unknown flag; did you mean --seed?");
  EXPECT_EQ(error_of(kTrainSection, {"--xyzzy"}),
            "--xyzzy: unknown flag; cupel run --help lists them");
}

TEST(RecipeErrors, ASettingOfASectionAsksForItsName) {
  EXPECT_EQ(error_of(kTrainSection, {"--max_steps=5"}),
            "--max_steps: names no section; write it as in --train.max_steps=VALUE");
}

TEST(RecipeErrors, ASettingWithoutAValueIsRefused) {
  EXPECT_EQ(error_of(kTrainSection, {"--max_steps"}, "train"),
            "--max_steps: a setting without a value; write --max_steps=VALUE");
  EXPECT_EQ(error_of(kTrainSection, {"--train.max_steps"}),
            "--train.max_steps: a setting without a value; write --train.max_steps=VALUE");
}

TEST(RecipeErrors, WordsAreCounted) {
  CommandLine line;
  line.verb = &find_verb("run");
  EXPECT_THAT(
      [&] { make_request(line, {}); },
      throws_exactly(ErrorKind::config,
                     "cupel run: no recipe is named; give one, as in cupel run recipe.yaml; "
                     "cupel init writes one"));
  line.words = {"a.yaml", "b.yaml"};
  EXPECT_THAT([&] { make_request(line, {}); },
              throws_exactly(ErrorKind::config, "b.yaml: a second recipe; give one at a time"));
  line.verb = &find_verb("doctor");
  EXPECT_THAT(
      [&] { make_request(line, {}); },
      throws_exactly(ErrorKind::config, "a.yaml: a word too many; cupel doctor takes none"));
}

TEST(Recipe, WordsMayStandForASettingEach) {
  CommandLine line;
  line.verb = &find_verb("curate explain");
  line.words = {"runs/a", "17"};
  const Request request = make_request(line, {});
  ASSERT_NE(request.settings.find("id"), nullptr);
  EXPECT_EQ(request.settings.find("run")->scalar, "runs/a");
  EXPECT_EQ(request.settings.find("id")->scalar, "17");
  line.words.emplace_back("more");
  EXPECT_THAT(
      [&] { make_request(line, {}); },
      throws_exactly(ErrorKind::config, "more: a word too many; cupel curate explain takes 2"));
}

}  // namespace
}  // namespace cupel::pipeline
