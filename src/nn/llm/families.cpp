#include "nn/llm/families.h"

#include <algorithm>

namespace cupel::llm {

bool Family::has(std::string_view setting) const {
  for (std::string_view rest = settings; !rest.empty();) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (rest.substr(0, end) == setting) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

const Family* find_family(std::string_view name) {
  for (const Family& family : kFamilies) {
    if (family.name == name) return &family;
  }
  return nullptr;
}

std::string known_families() {
  std::string names;
  for (const Family& family : kFamilies) {
    if (!names.empty()) names += ", ";
    names += family.name;
  }
  return names;
}

bool tells_families_apart(std::string_view setting) {
  return std::any_of(kFamilies.begin(), kFamilies.end(),
                     [&](const Family& family) { return family.has(setting); });
}

}  // namespace cupel::llm
