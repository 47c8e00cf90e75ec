// Devices: which one a recipe asks for, and what it multiplies in hardware.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/config.h"

namespace cupel::nn {

/// automatic: a CUDA GPU where the build and the machine have one, else the CPU.
enum class DeviceKind { automatic, cpu, cuda };
constexpr std::array<std::string_view, 3> names(DeviceKind) { return {"auto", "cpu", "cuda"}; }
static_assert(names(DeviceKind{}).size() == static_cast<std::size_t>(DeviceKind::cuda) + 1);

struct DeviceReport {
  DeviceKind requested = DeviceKind::automatic;
  DeviceKind used = DeviceKind::cpu;  // never automatic
  std::string reason;
  static constexpr auto fields() {
    using C = DeviceReport;
    return std::tuple{Field{"requested", &C::requested, "device of the recipe"},
                      Field{"used", &C::used, "where the steps ran"},
                      Field{"reason", &C::reason, "why"}};
  }
};

/// FP16 matrix units: on a GPU; on no row of a CPU.
bool has_fp16_units(DeviceKind used = DeviceKind::cpu);
/// Products of bf16 take less time than those of fp32: on a GPU, with AMX, or with AVX-512 BF16 on
/// AMD's CPUs.
bool has_bf16_units(DeviceKind used = DeviceKind::cpu);

}  // namespace cupel::nn
