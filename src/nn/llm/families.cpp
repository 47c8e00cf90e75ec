#include "nn/llm/families.h"

#include <algorithm>

namespace cupel::llm {

bool Family::has(std::string_view setting) const {
  for (std::size_t at = settings.find(setting); at != settings.npos;
       at = settings.find(setting, at + 1)) {
    const std::size_t end = at + setting.size();
    const bool begins = at == 0 || settings[at - 1] == ' ';
    if (begins && (end == settings.size() || settings[end] == ' ')) return true;
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
