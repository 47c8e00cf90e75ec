#include "train/session_nn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "support/errors.h"

namespace cupel::train {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Session, SaysWhatThisMachineMakesOfThePrecisionAskedFor) {
  cupel::Run run({.threads = 1});
  std::vector<std::string> said;
  run.subscribe([&](const Event& event) {
    if (event.kind == Event::Kind::log) said.emplace_back(event.text);
  });
  Config config;
  config.precision = nn::Precision::fp32;
  const Place place(config, run);
  EXPECT_EQ(choose_precision(config, place, run).compute, nn::Precision::fp32);
  EXPECT_THAT(said, testing::IsEmpty());
  config.precision = nn::Precision::mixed;
  EXPECT_EQ(storage_of(choose_precision(config, place, run).compute), at::kBFloat16);
  EXPECT_THAT(said, ElementsAre(HasSubstr("precision bf16: ")));
}

TEST(Session, RefusesAPlanAboveTheFreeMemory) {
  cupel::Run run({.threads = 1});
  const Place place({}, run);
  Plan plan;
  plan.planned_memory_bytes = 1;
  require_memory(plan, place, 1);
  plan.planned_memory_bytes = INT64_C(1) << 52;
  EXPECT_THAT([&] { require_memory(plan, place, 2); },
              throws_error(ErrorKind::resource, "of tensors in each of 2 processes, but "));
}

TEST(Session, AClassifierIsTrainedOnTheCpuAndSaysSo) {
  cupel::Run run({.threads = 1});
  std::vector<std::string> said;
  run.subscribe([&](const Event& event) {
    if (event.kind == Event::Kind::log) said.emplace_back(event.text);
  });
  Config config;
  config.task = Task::classify;
  config.device = nn::DeviceKind::cuda;
  EXPECT_EQ(Place(config, run).report().used, nn::DeviceKind::cpu);
  EXPECT_THAT(said, ElementsAre("device cpu: task: classify is for the CPU"));
}

TEST(Session, WhatIsInterruptedWhileItIsMadeInterruptsTheRun) {
  cupel::Run run({.threads = 1});
  EXPECT_EQ(prepare_together([] { return 3; }, run), 3);
  EXPECT_THROW(prepare_together([]() -> int { throw Interrupted(); }, run), Interrupted);
}

}  // namespace
}  // namespace cupel::train
