#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>

#include "pipeline/claims.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::pipeline::claims {
namespace {

using testing::ElementsAre;

constexpr const char* kClaim =
    "id: one\nstatement: It gains\nprotocol: fake\nmetrics: [{name: gain, bar: \"> 0\"}]\n";

TEST(Bar, ComparesOnEverySide) {
  EXPECT_FALSE(parse_bar("> 2", "").is_met(2));
  EXPECT_TRUE(parse_bar(">= 2", "").is_met(2));
  EXPECT_TRUE(parse_bar("<=2", "").is_met(2));
  EXPECT_FALSE(parse_bar("< 2", "").is_met(2));
  EXPECT_TRUE(parse_bar("< -1e-3", "").is_met(-1));
}

TEST(Bar, OfAnIntervalHoldsForAllOfIt) {
  const Interval interval{0.1, 0.3};
  EXPECT_TRUE(parse_bar("interval > 0", "").is_met(0.2, interval));
  EXPECT_FALSE(parse_bar("interval > 0.15", "").is_met(0.2, interval));
  EXPECT_TRUE(parse_bar("interval <= 0.3", "").is_met(0.2, interval));
  EXPECT_FALSE(parse_bar("interval < 0.3", "").is_met(0.2, interval));
  EXPECT_TRUE(parse_bar("interval contains 0.2", "").is_met(0.2, interval));
  EXPECT_FALSE(parse_bar("interval contains 0", "").is_met(0.2, interval));
  EXPECT_FALSE(parse_bar("interval > 0", "").is_met(0.2));
}

TEST(Bar, NoValueMeetsNone) {
  for (const char* bar : {"> 0", ">= 0", "< 0", "<= 0"}) {
    EXPECT_FALSE(parse_bar(bar, "").is_met(NAN)) << bar;
    EXPECT_FALSE(parse_bar(bar, "").is_met(INFINITY)) << bar;
  }
}

TEST(Bar, AnythingElseIsRefused) {
  for (const char* bar : {"", "2", "> ", "== 2", "contains 2", "interval 2", "> 2 points", "> inf"})
    EXPECT_THAT(
        [&] { parse_bar(bar, "one.yaml"); },
        throws_error(ErrorKind::config, "one.yaml: bar: \"" + std::string(bar) + "\" is none"));
}

TEST(ClaimFile, AFormMayHaveMetricsOfItsOwnAndAMetricNoBar) {
  const TemporaryFolder folder;
  const auto path = folder.write(
      "one.yaml",
      std::string(kClaim) + "quick: {seeds: [1]}\nfull: {seeds: [1], metrics: [{name: curve}]}\n");
  EXPECT_EQ(read_claim(path, true).metrics.size(), 1u);
  const Claim full = read_claim(path, false);
  ASSERT_EQ(full.metrics.size(), 2u);
  EXPECT_EQ(full.metrics[1].name, "curve");
  EXPECT_EQ(full.metrics[1].bar, "");
  EXPECT_EQ(full.settings.find("metrics"), nullptr);
}

TEST(ClaimFile, HoldsSomethingToABar) {
  const TemporaryFolder folder;
  const auto path = folder.write("one.yaml",
                                 "id: one\nstatement: It gains\nprotocol: fake\n"
                                 "metrics: [{name: gain}]\nquick: {seeds: [1]}\n");
  EXPECT_THAT([&] { read_claim(path, true); },
              throws_error(ErrorKind::config, "metrics: none has a bar"));
}

TEST(ClaimFile, AFormsSettingsStandOverTheCommonOnes) {
  const TemporaryFolder folder;
  const auto path =
      folder.write("one.yaml", std::string(kClaim) +
                                   "settings: {a: 1, b: 2}\nquick: {seeds: [1], b: 3}\n"
                                   "full: {seeds: [1, 2], c: 4}\n");
  const Claim quick = read_claim(path, true), full = read_claim(path, false);
  EXPECT_EQ(quick.settings.find("b")->scalar, "3");
  EXPECT_EQ(quick.settings.find("c"), nullptr);
  EXPECT_THAT(quick.seeds, ElementsAre(1));
  EXPECT_EQ(full.settings.find("b")->scalar, "2");
  EXPECT_EQ(full.settings.find("c")->scalar, "4");
  EXPECT_THAT(full.seeds, ElementsAre(1, 2));
}

TEST(ClaimFile, IsReadStrictly) {
  const TemporaryFolder folder;
  const auto expect = [&](const std::string& text, const std::string& message) {
    const auto path = folder.write("one.yaml", text);
    EXPECT_THAT([&] { read_claim(path, true); }, throws_error(ErrorKind::config, message));
  };
  const std::string claim = kClaim, quick = "quick: {seeds: [1]}\n";
  expect(claim, "seeds: at least one is needed");
  expect(claim + quick + "metrik: 3\n", "unknown key \"metrik\", did you mean \"metrics\"?");
  expect(claim + "quick: 3\n", "\"quick\" must be a map");
  expect("id: two" + claim.substr(7) + quick, "id: is \"two\"; give it the file's name");
  expect("id: one\nstatement: x\nprotocol: p\n" + quick, "metrics: at least one is needed");
}

TEST(ClaimFile, AnUnknownIdListsTheKnownOnes) {
  const TemporaryFolder folder;
  folder.write("one.yaml", std::string(kClaim) + "full: {seeds: [1]}\n");
  Config config;
  config.folder = {folder.path().string()};
  config.ids = {"three"};
  EXPECT_THAT([&] { read_claims(config); },
              throws_error(ErrorKind::config, "there is no claim \"three\"; known: one"));
  config.ids.clear();
  EXPECT_EQ(read_claims(config).size(), 1u);
  config.folder = {(folder / "none").string()};
  EXPECT_THAT([&] { read_claims(config); }, throws_error(ErrorKind::config, "holds no claim"));
}

TEST(ClaimFile, DataSetsAreFoundWhereTheyAreAsked) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "some_set");
  ::setenv("CUPEL_DATA", folder.path().c_str(), 1);
  EXPECT_EQ(find_data_set("some_set"), folder / "some_set");
  EXPECT_EQ(find_data_set("no_such_set"), std::nullopt);
  ::unsetenv("CUPEL_DATA");
  EXPECT_EQ(find_data_set("some_set"), std::nullopt);
}

}  // namespace
}  // namespace cupel::pipeline::claims
