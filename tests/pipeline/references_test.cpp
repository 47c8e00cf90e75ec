#include "pipeline/references.h"

#include <gmock/gmock.h>

#include "support/errors.h"
#include "support/requests.h"

namespace cupel::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr const char* kReferringStages =
    "stages:\n"
    "  - train: {model: {}, datasets: [{type: arithmetic}]}\n"
    "  - train: {base_model: \"%\", datasets: [{type: arithmetic}]}\n";

std::string with_base_model(std::string base) {
  std::string text = kReferringStages;
  return text.replace(text.find('%'), 1, base);
}

void read(const std::string& recipe) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  request_for(folder, "run", recipe);
}

TEST(References, BecomeThePathOfTheEarlierOutput) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const Request request = request_for(folder, "run", with_base_model("${train.model}"));
  EXPECT_EQ(with_outputs(request.recipe, 1, "/runs/a").find("base_model")->scalar, "/runs/a/model");
}

TEST(References, KeepWhatFollowsTheBrace) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const Request request = request_for(folder, "run", with_base_model("${training.model}/x"));
  EXPECT_EQ(with_outputs(request.recipe, 1, "/runs/a").find("base_model")->scalar,
            "/runs/a/model/x");
}

TEST(References, OfARepeatedSectionMeanTheNearestBefore) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const Request request = request_for(
      folder, "run",
      with_base_model("${train.model}") +
          "  - train: {base_model: \"${train.model}\", datasets: [{type: arithmetic}]}\n"
          "  - train: {base_model: \"${train-2.model}\", datasets: [{type: arithmetic}]}\n");
  EXPECT_EQ(with_outputs(request.recipe, 2, "/a").find("base_model")->scalar, "/a/train-2/model");
  EXPECT_EQ(with_outputs(request.recipe, 3, "/a").find("base_model")->scalar, "/a/train-2/model");
}

TEST(References, ToNothingEarlierAreRefused) {
  EXPECT_THAT(
      [] { read(kTrainSection + "  samples: {prompts: [\"${train.model}\"]}\n"); },
      throws_error(ErrorKind::config,
                   "recipe.yaml:6:23: \"${train.model}\": no section \"train\" runs before "
                   "\"train\"; put it before, or give the path of an earlier run's output"));
}

TEST(References, ToASectionThatTheCommandLeavesOutSayHowToGoOn) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  EXPECT_THAT(
      [&] {
        request_for(folder, "eval",
                    kTrainSection +
                        "eval:\n  model: ${train.model}\n  tasks: [{source: "
                        "arithmetic, type: exact_match}]\n");
      },
      throws_error(ErrorKind::config,
                   "recipe.yaml:7:10: \"${train.model}\": section \"train\" is not run by cupel "
                   "eval; run all of the recipe with cupel run, or name what an earlier run left, "
                   "as in --model=runs/EARLIER/model"));
}

TEST(References, ToAMisspeltSectionOrOutputNameTheNearest) {
  EXPECT_THAT([] { read(with_base_model("${trian.model}")); },
              throws_error(ErrorKind::config, "did you mean \"train\"?"));
  EXPECT_THAT([] { read(with_base_model("${train.modle}")); },
              throws_error(ErrorKind::config,
                           "\"${train.modle}\": \"train\" has no output \"modle\"; did you mean "
                           "\"model\"?"));
  EXPECT_THAT([] { read(with_base_model("${train.xyzzy}")); },
              throws_error(ErrorKind::config, "it gives model"));
}

TEST(References, WithoutAnOutputAreRefused) {
  for (const char* text : {"${train}", "${}", "${.model}", "${train.}"}) {
    EXPECT_THAT([&] { read(with_base_model(text)); },
                throws_error(ErrorKind::config, "refers to nothing; write ${section.output}"))
        << text;
  }
}

TEST(References, ATextThatMerelyHoldsADollarIsText) {
  EXPECT_NO_THROW(read(kTrainSection + "  samples: {prompts: [\"it costs ${5}\", \"${\"]}\n"));
}

TEST(Inputs, AMissingFileIsNamedWithItsPlace) {
  EXPECT_THAT([] { read("train: {model: {}, datasets: [{path: nowhere.txt}]}\n"); },
              throws_error(ErrorKind::config,
                           "recipe.yaml:1:38: \"train.datasets[0].path\": no such file or "
                           "folder: "));
}

TEST(Inputs, AShorthandIsFollowed) {
  EXPECT_THAT(
      [] { read("train: {model: {}, tokenizer: nowhere, datasets: [{type: arithmetic}]}"); },
      throws_error(ErrorKind::config, "\"train.tokenizer.path\": no such file or folder"));
}

TEST(Inputs, AreRelativeToTheRecipe) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  folder.write("corpus.txt", "gold\n");
  EXPECT_NO_THROW(request_for(folder, "run", "train: {model: {}, datasets: [{path: corpus.txt}]}"));
}

TEST(StageFolder, IsTheRunsUnlessAnEarlierStageHasFilesOfTheSameNames) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const Request request = request_for(
      folder, "run",
      "stages:\n"
      "  - train: {model: {family: deepseek_v3}, datasets: [{type: arithmetic}]}\n"
      "  - eval: {model: \"${train.model}\", tasks: [{type: exact_match, source: arithmetic}]}\n"
      "  - augment: {simulate: {training_days: 7}}\n"
      "  - train: {base_model: \"${train.model}\", datasets: [{type: arithmetic}]}\n");
  std::vector<fs::path> folders;
  for (const Stage& stage : request.recipe.stages) folders.push_back(stage_folder(stage, "/r"));
  EXPECT_THAT(folders, testing::ElementsAre("/r", "/r", "/r/augment", "/r/train-2"));
}

}  // namespace
}  // namespace cupel::pipeline
