#include "pipeline/training_data.h"

#include <gmock/gmock.h>

#include "support/requests.h"

namespace cupel::pipeline {
namespace {

TrainingData data_of(const std::string& settings, int64_t seed = 0) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  Request request = request_for(folder, "plan", kTrainSection + settings);
  request.recipe.seed = seed;
  return read_training_data(settings_of<train::Config>(request.recipe.stages.at(0), request.recipe),
                            request);
}

TEST(TrainingData, IsWhatTheSeedMakesOfTheRecipe) {
  TrainingData one = data_of(""), same = data_of(""), other = data_of("", 1);
  EXPECT_EQ(one.order.batch(0, 1).inputs, same.order.batch(0, 1).inputs);
  EXPECT_NE(one.order.batch(0, 1).inputs, other.order.batch(0, 1).inputs);
  EXPECT_FALSE(one.run->has_folder());
}

TEST(TrainingData, TheTokenizerIsTheBaseModelsWhereNoOtherIsNamed) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  TrainingData trained = data_of("");
  std::filesystem::create_directory(folder / "base");
  trained.tokenizer.save(folder / "base");
  const Request request =
      request_for(folder, "plan",
                  "train: {base_model: base, sequence_len: 64, datasets: [{type: arithmetic}]}");
  const TrainingData data = read_training_data(
      settings_of<train::Config>(request.recipe.stages.at(0), request.recipe), request);
  EXPECT_EQ(data.tokenizer.json(), trained.tokenizer.json());
}

}  // namespace
}  // namespace cupel::pipeline
