#include "support/markup.h"

#include <vector>

#include "base/text.h"

namespace cupel {
namespace {

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == ':';
}

std::string near(std::string_view rest) { return clip(rest.substr(0, 60), 40); }

/// Every & begins one of the five entities or a number.
std::string entity_problem(std::string_view text) {
  for (std::size_t at = text.find('&'); at != text.npos; at = text.find('&', at + 1)) {
    const std::string_view name = text.substr(at + 1, text.find(';', at) - at - 1);
    if (name != "amp" && name != "lt" && name != "gt" && name != "quot" && name != "#39")
      return "bare & at " + near(text.substr(at));
  }
  return {};
}

/// Takes ` name="value"` pairs off the front, up to > or />.
std::string attributes_problem(std::string_view& rest) {
  while (rest.starts_with(' ')) {
    rest.remove_prefix(1);
    const std::size_t equals = rest.find("=\"");
    if (equals == rest.npos || equals == 0) return "attribute without a value at " + near(rest);
    for (const char c : rest.substr(0, equals)) {
      if (!is_name(c)) return "attribute name at " + near(rest);
    }
    rest.remove_prefix(equals + 2);
    const std::size_t quote = rest.find('"');
    if (quote == rest.npos) return "open quote at " + near(rest);
    const std::string_view value = rest.substr(0, quote);
    if (value.find('<') != value.npos) return "< in an attribute at " + near(rest);
    const std::string problem = entity_problem(value);
    if (!problem.empty()) return problem;
    rest.remove_prefix(quote + 1);
  }
  return {};
}

}  // namespace

std::string markup_problem(std::string_view rest) {
  if (valid_utf8_prefix(rest) != rest.size()) return "no UTF-8";
  if (rest.starts_with("<!DOCTYPE html>\n")) rest.remove_prefix(16);
  std::vector<std::string> open;
  while (!rest.empty()) {
    const std::size_t tag = std::min(rest.find('<'), rest.size());
    std::string problem = entity_problem(rest.substr(0, tag));
    if (!problem.empty()) return problem;
    rest.remove_prefix(tag);
    if (rest.empty()) break;
    rest.remove_prefix(1);
    const bool closes = rest.starts_with('/');
    if (closes) rest.remove_prefix(1);
    std::size_t length = 0;
    while (length < rest.size() && is_name(rest[length])) ++length;
    const std::string name(rest.substr(0, length));
    if (name.empty()) return "no element at " + near(rest);
    rest.remove_prefix(length);
    if (closes) {
      if (open.empty() || open.back() != name) return "</" + name + "> closes nothing";
      open.pop_back();
    } else {
      problem = attributes_problem(rest);
      if (!problem.empty()) return problem;
      if (rest.starts_with('/')) {
        rest.remove_prefix(1);
      } else {
        open.push_back(name);
      }
    }
    if (!rest.starts_with('>')) return "no > at " + near(rest);
    rest.remove_prefix(1);
    if (!closes && name == "style") rest.remove_prefix(rest.find("</style>"));
  }
  return open.empty() ? "" : "<" + open.back() + "> is never closed";
}

int count_of(std::string_view text, std::string_view part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

}  // namespace cupel
