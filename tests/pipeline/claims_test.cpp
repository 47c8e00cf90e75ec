#include "pipeline/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/atomic_file.h"
#include "base/config_doc.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::pipeline::claims {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// What the fake protocol was asked for, and when it should break.
struct Calls {
  std::vector<uint64_t> seeds;
  int64_t fail_at = -1;
  std::string skipped;
} calls;

struct FakeSettings {
  double base = 0;
  Path recipe;
  static constexpr auto fields() {
    return std::tuple{Field{"base", &FakeSettings::base, "added to the seed"},
                      Field{"recipe", &FakeSettings::recipe, "not read"}};
  }
};

ClaimValues fake(const ClaimContext& context) {
  if (static_cast<int64_t>(context.seed) == calls.fail_at) throw Interrupted();
  calls.seeds.push_back(context.seed);
  const double value = context.settings<FakeSettings>().base + static_cast<double>(context.seed);
  return {{"gain", {value, Interval{value - 1, value + 1}, 0.25, calls.skipped}},
          {"exact", {value}}};
}

constexpr std::array kFake{Protocol{"fake", &fake}};

struct ClaimsBench {
  TemporaryFolder folder{TemporaryFolder::Place::memory};
  Config config;

  explicit ClaimsBench(const std::string& needs = "[]", const std::string& bar = ">= 2") {
    calls = {};
    config.folder = {(folder / "claims").string()};
    config.docs = (folder / "claims.md").string();
    folder.write("claims/one.yaml", "id: one\nstatement: It gains\nprotocol: fake\nneeds: " +
                                        needs + "\nmetrics: [{name: gain, bar: \"" + bar +
                                        "\"}]\nsettings: {base: 1}\nquick: {seeds: [4]}\n"
                                        "full: {seeds: [1, 2, 3], base: 10}\n");
  }
  Report measure(const std::string& out = "run") {
    RunOptions options;
    options.folder = folder / out;
    options.threads = 1;
    options.resume = true;
    cupel::Run run(options);
    return claims::run(config, {}, kFake, run);
  }
};

TEST(Claims, TheQuickFormReportsTheSingleSeedsOwnInterval) {
  ClaimsBench bench;
  bench.config.quick = true;
  const Report report = bench.measure();
  ASSERT_EQ(report.claims.size(), 1u);
  const Row& row = report.claims[0];
  EXPECT_EQ(row.value, 5);
  EXPECT_EQ(row.interval, (std::array{4.0, 6.0}));
  EXPECT_EQ(row.baseline, 0.25);
  EXPECT_EQ(row.pass, true);
  EXPECT_THAT(row.seeds, ElementsAre(4));
  EXPECT_THAT(row.machine, HasSubstr("1 of "));
  EXPECT_TRUE(report.passed());
}

TEST(Claims, TheFullFormHasAnIntervalOverSeeds) {
  ClaimsBench bench("[]", "> 12");
  const Report report = bench.measure();
  const Row& row = report.claims[0];
  EXPECT_THAT(calls.seeds, ElementsAre(1, 2, 3));
  EXPECT_EQ(row.value, 12);  // mean of 11, 12, 13
  // t(0.975, 2) / sqrt(3) = 4.302653 / 1.732051
  EXPECT_NEAR((*row.interval)[0], 12 - 2.484138, 1e-5);
  EXPECT_NEAR((*row.interval)[1], 12 + 2.484138, 1e-5);
  EXPECT_EQ(row.pass, false);
  EXPECT_FALSE(report.passed());
}

TEST(Claims, TheWorstRandomSeedIsOnTheWrongSideOfTheBar) {
  ClaimsBench upper("[]", ">= 2"), lower("[]", "< 100"), around("[]", "interval contains 12");
  EXPECT_EQ(upper.measure().claims[0].worst, 11);
  EXPECT_EQ(lower.measure().claims[0].worst, 13);
  EXPECT_EQ(around.measure().claims[0].worst, std::nullopt);
}

TEST(Claims, AMetricWithoutABarIsToldAndHeldToNothing) {
  ClaimsBench bench;
  std::string text = read_file(bench.folder / "claims/one.yaml");
  text.replace(text.find("metrics: ["), 10, "metrics: [{name: exact}, ");
  bench.folder.write("claims/one.yaml", text);
  const Report report = bench.measure();
  ASSERT_EQ(report.claims.size(), 2u);
  EXPECT_EQ(report.claims[0].value, 12);
  EXPECT_EQ(report.claims[0].pass, std::nullopt);
  EXPECT_EQ(report.claims[0].worst, std::nullopt);
  EXPECT_TRUE(report.passed());
}

TEST(Claims, ABarThatDoesNotBindHereIsNeitherMetNorMissed) {
  ClaimsBench bench("[]", "> 100");
  calls.skipped = "no such units";
  for (int resumed = 0; resumed < 2; ++resumed) {
    const Report report = bench.measure();
    EXPECT_EQ(report.claims[0].value, 12);
    EXPECT_EQ(report.claims[0].pass, std::nullopt);
    EXPECT_EQ(report.claims[0].reason, "skipped: no such units");
  }
}

TEST(Claims, AResumedRunMeasuresOnlyTheSeedsThatAreMissing) {
  ClaimsBench bench;
  calls.fail_at = 3;
  EXPECT_THROW(bench.measure(), Interrupted);
  EXPECT_THAT(calls.seeds, ElementsAre(1, 2));
  calls = {};
  EXPECT_EQ(bench.measure().claims[0].value, 12);
  EXPECT_THAT(calls.seeds, ElementsAre(3));
}

TEST(Claims, ASeedMeasuredWithOtherSettingsDoesNotCount) {
  ClaimsBench bench;
  bench.measure();
  std::string text = read_file(bench.folder / "claims/one.yaml");
  text.replace(text.find("base: 10"), 8, "base: 20");
  bench.folder.write("claims/one.yaml", text);
  EXPECT_EQ(bench.measure().claims[0].value, 22);
  EXPECT_THAT(calls.seeds, ElementsAre(1, 2, 3, 1, 2, 3));
}

TEST(Claims, ASeedMeasuredWithAnotherFileBehindItsSettingsDoesNotCount) {
  ClaimsBench bench;
  std::string text = read_file(bench.folder / "claims/one.yaml");
  text.replace(text.find("{base: 1}"), 9, "{base: 1, recipe: ../r.yaml}");
  bench.folder.write("claims/one.yaml", text);
  bench.folder.write("r.yaml", "max_steps: 1\n");
  bench.measure();
  bench.measure();
  EXPECT_THAT(calls.seeds, ElementsAre(1, 2, 3));
  bench.folder.write("run/claims/one/1/train/config.yaml", "max_steps: 1\n");
  bench.folder.write("r.yaml", "max_steps: 2\n");
  bench.measure();
  EXPECT_FALSE(std::filesystem::exists(bench.folder / "run/claims/one/1/train"))
      << "a nested run of the old recipe is in the way of the new one";
  EXPECT_THAT(calls.seeds, ElementsAre(1, 2, 3, 1, 2, 3));
}

TEST(Claims, ASeedMeasuredOnOtherDataDoesNotCount) {
  ClaimsBench bench;
  bench.measure();
  const std::string data = bench.folder.write("text.txt", "to be\n").string();
  const std::string manifest =
      json::dump(json::Object{{"inputs", json::Object{{data, sha256_file(data)}}}});
  bench.folder.write("run/claims/one/2/train/manifest.json", manifest);
  bench.measure();
  EXPECT_THAT(calls.seeds, ElementsAre(1, 2, 3));
  bench.folder.write("text.txt", "not to be\n");
  bench.measure();
  EXPECT_THAT(calls.seeds, ElementsAre(1, 2, 3, 2));
  EXPECT_FALSE(std::filesystem::exists(bench.folder / "run/claims/one/2/train"))
      << "a nested run that read the old data would not go on";
}

TEST(Claims, TheManifestNamesTheFilesThatDefineThem) {
  ClaimsBench bench;
  {
    RunOptions options;
    options.folder = bench.folder / "run";
    options.threads = 1;
    cupel::Run run(options);
    run.finish("claims", to_json(claims::run(bench.config, {}, kFake, run)));
  }
  const std::string file = (bench.folder / "claims/one.yaml").string();
  const json::Value manifest =
      json::parse(read_file(bench.folder / "run/manifest.json"), "manifest.json");
  EXPECT_EQ(manifest.at("definitions", "").at(file, "").as_string(""), sha256_file(file));
}

TEST(Claims, AMissingDataSetIsSkippedNeverPassed) {
  ClaimsBench bench("[no_such_set]");
  const Report report = bench.measure();
  EXPECT_EQ(report.claims[0].pass, std::nullopt);
  EXPECT_EQ(report.claims[0].value, std::nullopt);
  EXPECT_EQ(report.claims[0].reason, "skipped: no_such_set");
  EXPECT_TRUE(report.passed());
  EXPECT_TRUE(calls.seeds.empty());
}

TEST(Claims, RowsHaveTheFieldsThatScriptsRead) {
  ClaimsBench bench;
  bench.config.quick = true;
  bench.measure();
  const json::Value written =
      json::parse(read_file(bench.folder / "run/claims.json"), "claims.json");
  const json::Value& row = written.at("claims", "").as_array("")[0];
  for (const char* field :
       {"id", "statement", "metric", "value", "interval", "bar", "pass", "baseline", "machine"})
    EXPECT_NE(row.find(field), nullptr) << field;
  EXPECT_EQ(json::dump(row.at("interval", "")), "[4.0,6.0]");
}

TEST(Claims, DocsAreWrittenOnRequestOnly) {
  ClaimsBench bench;
  bench.measure();
  EXPECT_FALSE(std::filesystem::exists(bench.config.docs));
  bench.config.write_docs = true;
  bench.measure();
  EXPECT_THAT(read_file(bench.config.docs), HasSubstr("| one | gain | 12 |"));
}

TEST(Claims, AnUnknownProtocolOrMetricIsNamed) {
  ClaimsBench bench;
  std::string text = read_file(bench.folder / "claims/one.yaml");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    bench.folder.write("claims/one.yaml", changed);
  };
  with("protocol: fake", "protocol: none");
  EXPECT_THAT([&] { bench.measure("a"); },
              throws_error(ErrorKind::config, "there is no protocol \"none\"; known: fake"));
  with("name: gain", "name: loss");
  EXPECT_THAT([&] { bench.measure("b"); },
              throws_error(ErrorKind::config, "the protocol \"fake\" measures no \"loss\""));
}

TEST(Claims, NeedAFolder) {
  const ClaimsBench bench;
  cupel::Run run(RunOptions{});
  EXPECT_THAT([&] { claims::run(bench.config, {}, kFake, run); },
              throws_error(ErrorKind::config, "needs a folder for what it measures"));
}

TEST(Claims, EveryShippedClaimHasAProtocol) {
  Config config;
  config.folder = {CUPEL_SOURCE_DIR "/bench/claims"};
  for (const bool quick : {false, true}) {
    config.quick = quick;
    for (const Claim& claim : read_claims(config)) {
      EXPECT_TRUE(std::any_of(protocols().begin(), protocols().end(), [&](const Protocol& p) {
        return p.name == claim.protocol;
      })) << claim.id;
    }
  }
}

}  // namespace
}  // namespace cupel::pipeline::claims
