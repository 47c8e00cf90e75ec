#include "augment/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"

namespace cupel::augment {
namespace {

using testing::ElementsAre;

std::string table_text(int rows = 40) {
  std::string out = "day,amount,shop,id,label\n";
  for (int i = 0; i < rows; ++i) {
    out += std::to_string(i / 10) + "," + std::to_string(i) + "," + (i % 3 == 0 ? "a" : "b") +
           ",x" + std::to_string(i) + "," + std::to_string(i % 2) + "\n";
  }
  return out;
}

struct LoadScene {
  TemporaryFolder folder{TemporaryFolder::Place::memory};
  cupel::Run run{RunOptions{}};
  Config config;

  explicit LoadScene(const std::string& text = table_text()) {
    config.input.text = folder.write("t.csv", text).string();
    config.label = "label";
    config.exclude = {"id"};
  }
  Dataset read() { return load(config, run); }
};

std::vector<std::string> names_of(const Dataset& data) {
  std::vector<std::string> names;
  for (const Feature& feature : data.features) names.push_back(feature.name);
  return names;
}

TEST(Load, SplitsByTimeAndMakesTextsOneHot) {
  LoadScene scene;
  scene.config.split = {.time = "day", .validation_from = 2, .test_from = 3};
  scene.config.immutable = {"shop"};
  scene.config.integer = {"amount"};
  const Dataset data = scene.read();
  EXPECT_THAT(names_of(data), ElementsAre("amount", "shop=a", "shop=b"));
  EXPECT_EQ(data.train.size(), 20);
  EXPECT_EQ(data.validation.size(), 10);
  EXPECT_EQ(data.test.size(), 10);
  EXPECT_TRUE(data.features[0].integer);
  EXPECT_EQ(data.features[0].high, 19);  // of the training rows
  EXPECT_EQ(data.features[1].group, 0);
  EXPECT_EQ(data.features[2].group, 0);
  EXPECT_TRUE(data.features[2].immutable);
}

TEST(Load, SplitsBySharesWithoutATime) {
  LoadScene scene;
  const Dataset data = scene.read();
  EXPECT_EQ(data.train.size(), 20);
  EXPECT_EQ(data.validation.size(), 10);
  EXPECT_EQ(data.test.size(), 10);
  EXPECT_EQ(data.train.count_positives() + data.validation.count_positives() +
                data.test.count_positives(),
            20);
}

TEST(Load, AGroupIsNoFeature) {
  LoadScene scene;
  scene.config.group = "shop";
  const Dataset data = scene.read();
  EXPECT_THAT(names_of(data), ElementsAre("day", "amount"));
  EXPECT_EQ(data.test.groups.size(), 10u);
}

TEST(Load, ARowWithAMissingNumberIsRejected) {
  LoadScene scene(table_text() + "3,,a,y,1\n");
  const Dataset data = scene.read();
  EXPECT_EQ(scene.run.rejected(), 1);
  EXPECT_EQ(data.train.size() + data.validation.size() + data.test.size(), 40);
}

TEST(Load, NamesTheLineOfALabelThatIsNeither) {
  LoadScene scene(table_text() + "3,5,a,y,2\n");
  EXPECT_THAT([&] { scene.read(); },
              throws_error(ErrorKind::data, "t.csv:42: label \"label\" is 2, neither 0 nor 1"));
}

TEST(Load, RefusesColumnsThatAreNotThere) {
  LoadScene scene;
  scene.config.immutable = {"shape"};
  EXPECT_THAT([&] { scene.read(); }, throws_error(ErrorKind::data, "no column \"shape\""));
}

TEST(Load, RefusesAPartWithoutPositives) {
  LoadScene scene;
  scene.config.split = {.time = "day", .validation_from = 2, .test_from = 9};
  EXPECT_THAT([&] { scene.read(); },
              throws_error(ErrorKind::data, "the test part has 0 rows, 0 of them labelled 1"));
}

TEST(Load, RefusesAColumnOfManyTexts) {
  LoadScene scene(table_text(200));
  scene.config.exclude = {};
  EXPECT_THAT([&] { scene.read(); },
              throws_error(ErrorKind::data, "column \"id\" has 200 different texts"));
}

Config simulated() {
  Config config;
  config.simulate = {.training_days = 3,
                     .validation_days = 2,
                     .test_days = 2,
                     .customers = 500,
                     .terminals = 500,
                     .radius = 10};
  return config;
}

TEST(Load, SimulatesPaymentsWhoseDaysMakeTheParts) {
  cupel::Run run{RunOptions{.seed = 1}};
  const Dataset data = load(simulated(), run);
  EXPECT_EQ(data.features.size(), 15u);
  EXPECT_TRUE(data.features[1].immutable);
  EXPECT_NEAR(static_cast<double>(data.train.size()) / static_cast<double>(data.test.size()), 1.5,
              0.15);
  EXPECT_GT(data.train.count_positives(), 0);
}

TEST(Load, ShufflesTheLabelsItIsToldToAndNeverThoseOfTheTest) {
  cupel::Run run{RunOptions{.seed = 1}};
  Config config = simulated();
  const Dataset plain = load(config, run);
  for (const Shuffle which : {Shuffle::training, Shuffle::training_and_validation}) {
    config.shuffle_labels = which;
    const Dataset shuffled = load(config, run);
    EXPECT_EQ(plain.train.x, shuffled.train.x);
    EXPECT_NE(plain.train.labels, shuffled.train.labels);
    EXPECT_EQ(plain.train.count_positives(), shuffled.train.count_positives());
    EXPECT_EQ(plain.validation.labels == shuffled.validation.labels, which == Shuffle::training);
    EXPECT_EQ(plain.test.labels, shuffled.test.labels);
  }
}

}  // namespace
}  // namespace cupel::augment
