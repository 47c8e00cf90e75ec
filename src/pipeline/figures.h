// Numbers as people read them: a report as lines, bytes and durations with units.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"

namespace cupel::pipeline {

/// "412.3 MiB"
std::string bytes_text(double bytes);
/// "1h 02m", "3m 51s", "12.4 s", "8.1 ms"
std::string seconds_text(double seconds);

/// One line a value, "  name   value", numbers as report.html writes them; names of nested values
/// are dotted. Keys that end in _bytes or are seconds get their unit; lists of objects are counted,
/// long texts clipped.
std::string figures_text(const json::Value& report);

}  // namespace cupel::pipeline
