#include "data/tokenizer/vocabulary.h"

#include "base/error.h"
#include "data/tokenizer/members.h"

namespace cupel {

Vocabulary Vocabulary::parse(const json::Value& value, const std::string& where) {
  Vocabulary vocabulary;
  std::vector<std::string>& tokens = vocabulary.tokens;
  for (const auto& [token, number] : value.as_object(where)) {
    const int64_t id = number.as_int(where + ": \"" + token + "\"");
    if (id < 0 || id >= kMaxTokenIds) {
      fail(ErrorKind::data, where + ": \"" + token + "\"",
           "id " + std::to_string(id) + " is not in 0 to " + std::to_string(kMaxTokenIds - 1),
           kDamaged);
    }
    const auto index = static_cast<std::size_t>(id);
    if (token.empty()) fail(ErrorKind::data, where, "holds an empty token", kDamaged);
    if (tokens.size() <= index) tokens.resize(index + 1);
    if (!tokens[index].empty()) {
      fail(ErrorKind::data, where,
           "\"" + tokens[index] + "\" and \"" + token + "\" have the same id " + std::to_string(id),
           kDamaged);
    }
    tokens[index] = token;
    vocabulary.ids.emplace(token, static_cast<int32_t>(id));
  }
  return vocabulary;
}

}  // namespace cupel
