#include "curate/stages.h"

#include "data/unicode.h"

namespace cupel::curate {

std::vector<std::string> FormatConfig::problems() const {
  if (min_chars > max_chars) return {"min_chars is above max_chars, so every row would be dropped"};
  return {};
}

std::vector<Failure> check_length(std::string_view text, const FormatConfig& config) {
  const auto chars = static_cast<double>(count_characters(text));
  const auto least = static_cast<double>(config.min_chars);
  const auto most = static_cast<double>(config.max_chars);
  std::vector<Failure> failed;
  if (chars < least) failed.push_back({"too_short", chars, least});
  if (chars > most) failed.push_back({"too_long", chars, most});
  return failed;
}

}  // namespace cupel::curate
