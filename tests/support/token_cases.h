// Texts and the ids that a reference tokenizer gives them, as scripts/oracle stores them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/json.h"

namespace cupel {

struct TokenCase {
  std::string text;
  std::vector<int32_t> ids;
};

inline std::vector<TokenCase> read_token_cases(const std::filesystem::path& file) {
  std::vector<TokenCase> cases;
  const json::Value root = json::parse(read_file(file), file.string());
  for (const json::Value& item : root.at("cases", "").as_array("")) {
    TokenCase sample = {item.at("text", "").as_string(""), {}};
    for (const json::Value& id : item.at("ids", "").as_array(""))
      sample.ids.push_back(static_cast<int32_t>(id.as_int("")));
    cases.push_back(std::move(sample));
  }
  return cases;
}

}  // namespace cupel
