// A text of any bytes: level 1 of curation, its language and its personal data.
#include "curate/language.h"
#include "curate/pii.h"
#include "curate/rules.h"
#include "fuzz/survive.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace cupel::curate;
  using cupel::fuzz::require;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  FormatConfig config;
  config.sets = {RuleSet::gopher, RuleSet::c4, RuleSet::fineweb};
  for (const RuleFailure& failure : check_format(text, config)) {
    require(!failure.rule.empty() && failure.value >= 0 && failure.value <= 1e9);
  }
  const Language language = identify_language(text);
  require(language.share >= 0 && language.share <= 1);
  require(language.code == kUndetermined || is_known_language(language.code));
  const std::vector<PiiMatch> matches = find_pii(text);
  std::size_t end = 0;
  for (const PiiMatch& match : matches) {
    require(match.begin >= end && match.begin < match.end && match.end <= size);
    end = match.end;
  }
  require(mask_pii(text, matches).empty() == text.empty());
  return 0;
}
