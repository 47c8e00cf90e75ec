#include "data/tokenizer/post_processor.h"

#include "base/error.h"

namespace cupel {

namespace {

int32_t token_id(const json::Value& value, const std::string& where, std::size_t tokens) {
  const int64_t number = value.as_int(where);
  if (number < 0 || number >= static_cast<int64_t>(tokens)) {
    fail(ErrorKind::data, where, "id " + std::to_string(number) + " is no token",
         "the file is damaged; fetch it again");
  }
  return static_cast<int32_t>(number);
}

/// ["[SEP]", 102]
int32_t named_token(const json::Value& value, const std::string& where, std::size_t tokens) {
  const json::Array& pair = value.as_array(where);
  if (pair.size() != 2) {
    fail(ErrorKind::data, where, "expected a token and its id",
         "the file is damaged; fetch it again");
  }
  return token_id(pair[1], where, tokens);
}

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
      (before ? around.before : around.after).push_back(token_id(id, here, tokens));
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
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    around.before.push_back(named_token(value.at("cls", where), where + ".cls", tokens));
    around.after.push_back(named_token(value.at("sep", where), where + ".sep", tokens));
  } else if (type != "ByteLevel") {
    fail(ErrorKind::data, where, "unknown post-processor \"" + type + "\"",
         "known: BertProcessing, ByteLevel, RobertaProcessing, Sequence, TemplateProcessing");
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
