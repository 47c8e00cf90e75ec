#include "data/row_edit.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"

namespace cupel {
namespace {

/// Finds where members of an object begin and end; the object is known to be well-formed.
class MemberScanner {
 public:
  explicit MemberScanner(std::string_view json) : json_(json) {
    skip_white();
    ++at_;  // the brace
  }

  /// The next member's name and where its value stands; false at the end of the object.
  bool next(std::string& name, std::size_t& begin, std::size_t& end) {
    skip_white();
    if (peek() == ',') ++at_;
    skip_white();
    if (peek() != '"') return false;
    const std::size_t name_begin = at_;
    skip_string();
    const std::string_view quoted = json_.substr(name_begin, at_ - name_begin);
    name = quoted.find('\\') == std::string_view::npos
               ? std::string(quoted.substr(1, quoted.size() - 2))
               : json::parse(quoted, "name of a field").as_string("");
    skip_white();
    ++at_;  // the colon
    skip_white();
    begin = at_;
    skip_value();
    end = at_;
    return true;
  }

 private:
  char peek() const { return at_ < json_.size() ? json_[at_] : '\0'; }
  void skip_white() { at_ = std::min(json_.find_first_not_of(" \t\r\n", at_), json_.size()); }
  void skip_string() {
    for (++at_; peek() != '"' && at_ < json_.size(); ++at_) at_ += peek() == '\\';
    ++at_;
  }
  void skip_value() {
    if (peek() == '"') return skip_string();
    if (peek() != '{' && peek() != '[') {
      at_ = std::min(json_.find_first_of(",} \t\r\n", at_), json_.size());
      return;
    }
    std::size_t depth = 0;
    do {
      const char c = peek();
      if (c == '"') {
        skip_string();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    } while (depth > 0 && at_ < json_.size());
  }

  std::string_view json_;
  std::size_t at_ = 0;
};

}  // namespace

std::string with_text(std::string_view json, std::string_view field, std::string_view text) {
  std::string out, name;
  std::size_t copied = 0, begin = 0, end = 0;
  bool found = false, marked = false;
  const auto replace = [&](std::string_view value) {
    out += json.substr(copied, begin - copied);
    out += value;
    copied = end;
  };
  MemberScanner members(json);
  while (members.next(name, begin, end)) {
    if (name == field) {
      replace(json::dump(json::Value(text)));
      found = true;
    } else if (name == kEditedField) {
      replace("true");
      marked = true;
    }
  }
  CUPEL_ASSERT(found);
  out += json.substr(copied, end - copied);
  if (!marked) out += ",\"" + std::string(kEditedField) + "\":true";
  out += json.substr(end);
  return out;
}

}  // namespace cupel
