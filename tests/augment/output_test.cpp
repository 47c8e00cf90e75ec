#include "augment/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "base/json.h"
#include "data/read.h"
#include "data/safetensors.h"
#include "support/files.h"

namespace cupel::augment {
namespace {

struct OutputScene {
  TemporaryFolder folder{TemporaryFolder::Place::memory};
  std::optional<Run> run;
  std::vector<Feature> features{2};
  Fitted fitted{Mlp(2, {3}, Rng(1, "network")), 0.5f, {}};
  Rows rows;

  OutputScene() {
    RunOptions options;
    options.folder = folder / "run";
    run.emplace(options);
    features[0].name = "amount";
    features[0].mean = 100;
    features[0].deviation = 10;
    features[0].high = 1000;
    features[1].name = "shop=\"a\", main";
    features[1].immutable = true;
    rows.width = 16;
    rows.labels = {1, 0, 1};
    rows.x.resize(3 * 16);
    rows.x[0] = 2;
    rows.x[17] = 1;
  }
};

TEST(Output, TheModelIsLayersAndWhatTheyRead) {
  OutputScene scene;
  write_model(scene.fitted, scene.features, *scene.run);
  const Safetensors file = Safetensors::open(scene.folder / "run/model");
  ASSERT_EQ(file.tensors().size(), 4u);
  EXPECT_EQ(file.find("layers.0.weight")->shape, (std::vector<int64_t>{3, 2}));
  EXPECT_EQ(file.find("layers.1.bias")->shape, (std::vector<int64_t>{1}));
  const auto* weights = reinterpret_cast<const float*>(file.find("layers.0.weight")->data);
  EXPECT_EQ(weights[0], scene.fitted.network.layers()[0].weight[0]);
  const json::Value config =
      json::parse(read_file(scene.folder / "run/model/config.json"), "config.json");
  EXPECT_EQ(config.at("threshold", "").as_double(""), 0.5);
  const json::Value& amount = config.at("features", "").as_array("").at(0);
  EXPECT_EQ(amount.at("mean", "").as_double(""), 100);
}

TEST(Output, RowsStandInTheirOwnUnitBeforeAndAfter) {
  OutputScene scene;
  const Perturber perturber(scene.features, {.epsilon = 0.1}, 16);
  write_rows(scene.fitted, {.epsilon = 0.1}, perturber, scene.rows, *scene.run);
  const Table table = read_table(scene.folder / "run/augmented.csv", {}, nullptr);
  ASSERT_EQ(table.rows(), 6);
  const auto& amount = table.at("amount", "").numbers;
  EXPECT_EQ(amount[0], 120);
  EXPECT_NEAR(amount[3], 120, 1 + 1e-3);
  EXPECT_NE(amount[3], 120);
  const auto& shop = table.at("shop=\"a\", main", "").numbers;
  EXPECT_EQ(shop[1], 1);
  EXPECT_EQ(shop[4], 1);
  EXPECT_THAT(table.at("label", "").numbers, testing::ElementsAre(1, 0, 1, 1, 0, 1));
  EXPECT_THAT(table.at("augmented", "").numbers, testing::ElementsAre(0, 0, 0, 1, 1, 1));
}

}  // namespace
}  // namespace cupel::augment
