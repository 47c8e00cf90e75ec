#include "nn/resume_checks.h"

#include <gtest/gtest.h>

#include "support/errors.h"

namespace cupel::nn {
namespace {

RunOptions options_of(int world_size) {
  RunOptions options;
  options.threads = 1;
  options.peers.size = world_size;
  return options;
}

TEST(ResumeChecks, TheSameArithmeticIsNoWarning) {
  cupel::Run run(options_of(2));
  int warnings = 0;
  run.subscribe([&](const Event& event) { warnings += event.kind == Event::Kind::log; });
  check_arithmetic(arithmetic_of(run, Precision::bf16), "state.json", Precision::bf16, run);
  EXPECT_EQ(warnings, 0);
  check_arithmetic(arithmetic_of(run, Precision::bf16), "state.json", Precision::fp32, run);
  EXPECT_EQ(warnings, 1);
}

TEST(ResumeChecks, AnotherNumberOfProcessesIsRefused) {
  cupel::Run two(options_of(2)), one(options_of(1));
  const json::Value state = arithmetic_of(two, Precision::fp32);
  EXPECT_THAT([&] { check_arithmetic(state, "state.json", Precision::fp32, one); },
              throws_exactly(ErrorKind::config,
                             "state.json: the checkpoint is of a run with 2 processes and would go "
                             "on with 1, whose steps take other batches; resume with --nproc=2, or "
                             "choose another folder with --out"));
}

TEST(ResumeChecks, ACheckpointThatTellsNoNumberIsOfOneProcess) {
  cupel::Run one(options_of(1)), two(options_of(2));
  json::Object state = arithmetic_of(one, Precision::fp32);
  std::erase_if(state, [](const auto& member) { return member.first == "world_size"; });
  check_arithmetic(state, "state.json", Precision::fp32, one);
  EXPECT_THAT([&] { check_arithmetic(state, "state.json", Precision::fp32, two); },
              throws_error(ErrorKind::config, "a run with 1 processes and would go on with 2"));
}

}  // namespace
}  // namespace cupel::nn
