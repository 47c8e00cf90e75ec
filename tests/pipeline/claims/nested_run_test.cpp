#include "pipeline/claims/nested_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::pipeline::claims {
namespace {

struct Settings {
  int64_t steps = 3;
  static constexpr auto fields() { return std::tuple{Field{"steps", &Settings::steps, "to take"}}; }
};

struct Outer {
  TemporaryFolder folder{TemporaryFolder::Place::memory};
  std::atomic<bool> stop = false;
  Claim claim;
  Heavy heavy;
  std::optional<cupel::Run> run;
  std::vector<std::string> progress;
  int bodies = 0;

  Outer() {
    RunOptions options;
    options.folder = folder / "run";
    options.threads = 1;
    options.stop = &stop;
    run.emplace(options);
    run->subscribe([this](const Event& event) { progress.emplace_back(event.text); });
  }
  json::Value measure(int64_t steps) {
    const ClaimContext context{claim, 7, folder / "run/claims/one/7", heavy, *run};
    return run_nested(context, "train", "train", Settings{steps},
                      [&](const Settings& settings, cupel::Run& inner) {
                        ++bodies;
                        EXPECT_EQ(inner.seed(), 7u);
                        for (int64_t i = 0; i < settings.steps; ++i) {
                          if (inner.stop_requested()) throw Interrupted();
                          inner.progress(i + 1, settings.steps, "step");
                        }
                        return settings;
                      });
  }
};

TEST(NestedRun, RunsOnceAndThenReadsItsReport) {
  Outer outer;
  EXPECT_EQ(json::dump(outer.measure(3)), "{\"steps\":3}");
  EXPECT_EQ(json::dump(outer.measure(3)), "{\"steps\":3}");
  EXPECT_EQ(outer.bodies, 1);
}

TEST(NestedRun, ItsProgressIsSeenOutside) {
  Outer outer;
  outer.measure(2);
  EXPECT_THAT(outer.progress, testing::ElementsAre("train: step", "train: step"));
}

TEST(NestedRun, AStopOfTheClaimStopsItAndItResumes) {
  Outer outer;
  outer.stop = true;
  EXPECT_THROW(outer.measure(3), Interrupted);
  outer.stop = false;
  EXPECT_EQ(json::dump(outer.measure(3)), "{\"steps\":3}");
  EXPECT_EQ(outer.bodies, 2);
}

TEST(NestedRun, ItsManifestNamesTheKernelRow) {
  Outer outer;
  outer.measure(2);
  EXPECT_THAT(read_file(outer.folder / "run/claims/one/7/train/manifest.json"),
              testing::HasSubstr("\"isa_row\""));
}

TEST(NestedRun, OtherSettingsAreNoResume) {
  Outer outer;
  outer.measure(3);
  EXPECT_THAT([&] { outer.measure(4); },
              throws_error(ErrorKind::config, "begun with other settings"));
}

}  // namespace
}  // namespace cupel::pipeline::claims
