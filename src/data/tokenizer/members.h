// Members of a tokenizer's JSON files that may be missing, and what is advised where one is wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"

namespace cupel {

inline constexpr const char* kDamaged = "the file is damaged; fetch it again";
inline constexpr int64_t kMaxTokenizerBytes = int64_t{256} << 20;

/// The member, or null.
inline const json::Value& member(const json::Value& object, std::string_view key) {
  static const json::Value none;
  const json::Value* value = object.find(key);
  return value == nullptr ? none : *value;
}

/// `fallback` where the member is missing or null. Throws Error{data} for what is no bool.
inline bool flag(const json::Value& object, std::string_view key, bool fallback,
                 const std::string& where) {
  const json::Value& value = member(object, key);
  return value.is_null() ? fallback : value.as_bool(where + "." + std::string(key));
}

}  // namespace cupel
