#include "data/tokenizer/post_processor.h"

#include "base/error.h"

namespace cupel {

namespace {

void parse_template(const json::Value& value, const std::string& where, std::size_t tokens,
                    Surroundings& around) {
  bool before = true;
  for (const json::Value& piece : value.at("single", where).as_array(where + ".single")) {
    if (piece.find("Sequence") != nullptr) {
      if (!before) {
        fail(ErrorKind::data, where + ".single", "holds the text twice",
             "leave one Sequence in it");
      }
      before = false;
      continue;
    }
    const std::string here = where + ".special_tokens";
    const std::string& name =
        piece.at("SpecialToken", where).at("id", where).as_string(where + ".single");
    const json::Value& token = value.at("special_tokens", where).at(name, here);
    for (const json::Value& id : token.at("ids", here).as_array(here + ".ids")) {
      const int64_t number = id.as_int(here + ".ids");
      if (number < 0 || number >= static_cast<int64_t>(tokens)) {
        fail(ErrorKind::data, here, "id " + std::to_string(number) + " is no token",
             "the file is damaged; fetch it again");
      }
      (before ? around.before : around.after).push_back(static_cast<int32_t>(number));
    }
  }
}

void add(const json::Value& value, const std::string& where, std::size_t tokens,
         Surroundings& around) {
  if (value.is_null()) return;
  const std::string& type = value.at("type", where).as_string(where + ".type");
  if (type == "Sequence") {
    const std::string here = where + ".processors";
    for (const json::Value& item : value.at("processors", where).as_array(here)) {
      add(item, here, tokens, around);
    }
  } else if (type == "TemplateProcessing") {
    parse_template(value, where, tokens, around);
  } else if (type != "ByteLevel") {
    fail(ErrorKind::data, where, "unknown post-processor \"" + type + "\"",
         "known: ByteLevel, TemplateProcessing, Sequence");
  }
}

}  // namespace

Surroundings parse_post_processor(const json::Value& value, const std::string& where,
                                  std::size_t tokens) {
  Surroundings around;
  add(value, where, tokens, around);
  return around;
}

}  // namespace cupel
