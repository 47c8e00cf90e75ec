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
/// Four significant digits; integers with thousands apart: "1 234 567".
std::string number_text(const json::Value& number);

/// One line a value, "  name   value"; names of nested values are dotted. Keys that end in _bytes
/// or are seconds get their unit; lists of objects are counted, long texts clipped.
std::string figures_text(const json::Value& report);

}  // namespace cupel::pipeline
