#include "base/machine.h"

#include <gmock/gmock.h>

#include <thread>
#include <vector>

namespace cupel {
namespace {

TEST(Machine, SaysWhatItIs) {
  const Machine here = machine();
  EXPECT_FALSE(here.cpu_model.empty());
  EXPECT_FALSE(here.flags.empty());
  EXPECT_TRUE(here.has_flag("sse2"));
  EXPECT_FALSE(here.has_flag("no_such_flag"));
  EXPECT_EQ(here.cores, static_cast<int>(std::thread::hardware_concurrency()));
  EXPECT_THAT(here.kernel, testing::StartsWith("Linux "));
}

TEST(Machine, LeavesAtLeastOneCoreAndNoMoreMemoryThanThereIs) {
  const Machine here = machine();
  EXPECT_GE(here.usable_cores, 1);
  EXPECT_LE(here.usable_cores, here.cores);
  EXPECT_GT(here.available_bytes, 0);
  EXPECT_LE(here.available_bytes, here.memory_bytes);
}

TEST(Machine, PeakMemoryGrowsByWhatIsTouched) {
  constexpr int64_t kBytes = 64 << 20;
  const int64_t before = peak_memory_bytes();
  const std::vector<char> block(kBytes, 1);
  EXPECT_EQ(block.back(), 1);
  EXPECT_GE(peak_memory_bytes(), kBytes);
  EXPECT_GE(peak_memory_bytes(), before);
}

TEST(Machine, ReportsOnlyTheFlagsThatChooseAKernelRow) {
  Machine made;
  made.flags = {"sse2", "avx2", "fma", "amx_int8"};
  EXPECT_EQ(json::dump(to_json(made).at("flags", "")), R"(["avx2","fma","amx_int8"])");
}

}  // namespace
}  // namespace cupel
