// A value of an Arrow column as JSON.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "data/arrow_abi.h"

namespace cupel {

/// The first column of the schema, or one within it, whose type has no form in JSON, as in
/// `column "image": binary`; empty if every column has one.
std::string unreadable_column(const ArrowSchema& schema);

/// Value number `row` of the array, which has the schema's type. Numbers and booleans stay what
/// they are (an unsigned 64-bit number over int64 becomes a double). Text: strings; decimals, with
/// all their digits; dates as 2026-11-26, times as 12:34:56.789, points in time as
/// 2026-11-26T12:34:56.789Z (without the Z where the column has no time zone; the zone itself is
/// left out, since they are kept in UTC). Durations are numbers in the column's unit. Lists are
/// arrays, structs are objects, maps are arrays of objects of key and value; a dictionary gives
/// what it stands for. The schema must have passed unreadable_column(); the array is trusted.
json::Value arrow_value(const ArrowSchema& schema, const ArrowArray& array, int64_t row);

}  // namespace cupel
