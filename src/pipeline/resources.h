// What a call took, in every report beside its own fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "base/config.h"
#include "base/json.h"

namespace cupel::pipeline {

struct Resources {
  double seconds = 0;
  int64_t peak_memory_bytes = 0;
  int threads = 0;
  std::optional<std::string> isa_row;
  static constexpr auto fields() {
    using C = Resources;
    return std::tuple{
        Field{"seconds", &C::seconds, "wall time"},
        Field{"peak_memory_bytes", &C::peak_memory_bytes, "of the process, its program included"},
        Field{"threads", &C::threads, "threads that it may use"},
        Field{"isa_row", &C::isa_row, "kernel row in use; null where CUPEL_ISA names none"}};
  }
};

/// Adds the four to a report that took `seconds`. `threads`: 0 = all cores.
void add_resources(json::Value& report, double seconds, int threads);

}  // namespace cupel::pipeline
