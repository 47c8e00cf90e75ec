// What the reference implementation of tokenizers gives: tests/fixtures/tokenizer_parts/, read
// back.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/atomic_file.h"
#include "base/json.h"

namespace cupel {

/// Their folder.
std::filesystem::path tokenizer_parts();

inline json::Value read_json(const std::filesystem::path& path) {
  return json::parse(read_file(path), path.string());
}

/// Calls check(component, input, what it gives) for each component of `kind` ("normalizer") and
/// each text, or each list of tokens.
template <class Check>
void for_each_component(std::string_view kind, const Check& check) {
  const json::Value root = read_json(tokenizer_parts() / "components.json");
  int checked = 0;
  for (const json::Value& row : root.at("components", "").as_array("")) {
    const json::Value* component = row.find(kind);
    if (component == nullptr) continue;
    const json::Value* tokens = row.find("tokens");
    const json::Array& inputs = (tokens != nullptr ? *tokens : root.at("texts", "")).as_array("");
    const json::Array& gives = row.at("gives", "").as_array("");
    ASSERT_EQ(inputs.size(), gives.size());
    SCOPED_TRACE(json::dump(*component));
    for (std::size_t i = 0; i < inputs.size(); ++i)
      check(*component, inputs[i], gives[i]), ++checked;
  }
  EXPECT_GT(checked, 50);
}

/// Calls check(character, whether the ranges of `name` in characters.json hold it) for every one.
template <class Check>
void for_each_character(const std::string& name, const Check& check) {
  const json::Value root = read_json(tokenizer_parts() / "characters.json");
  int32_t at = 0;
  const auto up_to = [&](int64_t end, bool inside) {
    for (; at < end; ++at) {
      if (at < 0xd800 || at >= 0xe000) check(at, inside);
    }
  };
  for (const json::Value& range : root.at(name, name).as_array(name)) {
    up_to(range.as_array("")[0].as_int(""), false);
    up_to(range.as_array("")[1].as_int("") + 1, true);
  }
  up_to(0x110000, false);
}

}  // namespace cupel
