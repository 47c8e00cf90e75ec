#include "data/jinja/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

Limits few(int64_t steps, std::size_t memory) {
  Limits limits;
  limits.steps = steps;
  limits.memory = memory;
  return limits;
}

TEST(JinjaMachine, WorkBeyondTheStepsIsRefusedWithTheLine) {
  Machine machine("t", few(10, 1 << 20));
  machine.line = 7;
  machine.spend(10);
  EXPECT_THAT([&] { machine.spend(1); },
              throws_error(ErrorKind::data, "t:7: the template takes more than 10 steps"));
}

TEST(JinjaMachine, ValuesBeyondTheMemoryAreRefused) {
  Machine machine("t", few(1'000'000, 1 << 20));
  EXPECT_THAT([&] { machine.string(std::string(2 << 20, 'x')); },
              throws_error(ErrorKind::data, "more than 1 MiB of values"));
}

TEST(JinjaMachine, DepthIsCountedDownAgain) {
  Machine machine("t", {});
  for (int i = 0; i < 1000; ++i) const Deeper deeper(machine);
  EXPECT_EQ(machine.depth, 0);
}

}  // namespace
}  // namespace cupel::jinja
