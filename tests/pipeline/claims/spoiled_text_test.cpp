#include "pipeline/claims/spoiled_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "curate/rules.h"
#include "data/unicode.h"

namespace cupel::pipeline::claims {
namespace {

using testing::HasSubstr;

const std::string kText =
    "Numb chin syndrome. We describe a case of leukemia presenting with the numb chin syndrome as "
    "the first symptom of the disease. The study of the nerve showed cells in its sheath.";

std::size_t words_in(const std::string& text) {
  return 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), ' '));
}

/// Words of `a` that are not in their place in `b`, of texts of the same number of words.
std::size_t changed_words(const std::string& a, const std::string& b) {
  std::size_t changed = 0, in_a = 0, in_b = 0;
  while (in_a < a.size() && in_b < b.size()) {
    const std::size_t end_a = std::min(a.find(' ', in_a), a.size());
    const std::size_t end_b = std::min(b.find(' ', in_b), b.size());
    changed += a.substr(in_a, end_a - in_a) != b.substr(in_b, end_b - in_b);
    in_a = end_a + 1;
    in_b = end_b + 1;
  }
  return changed;
}

TEST(SpoiledText, ACopyHasTheNormalFormOfItsText) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    Rng rng(seed, "test");
    EXPECT_EQ(copy_of(kText, Copy::identical, rng), kText);
    for (const Copy how : {Copy::letter_case, Copy::white_space}) {
      const std::string copy = copy_of(kText, how, rng);
      EXPECT_NE(copy, kText);
      EXPECT_EQ(normal_form(copy), normal_form(kText));
    }
  }
}

TEST(SpoiledText, WordsAreEditedAtTheRateAsked) {
  std::string text, other = "other";
  for (int i = 0; i < 2000; ++i) text += (i == 0 ? "w" : " w") + std::to_string(i);
  Rng rng(1, "test");
  const std::string copy = edited(text, 0.2, other, rng);
  const std::size_t gone = words_in(text) - words_in(copy);
  EXPECT_NEAR(static_cast<double>(gone), 100, 30) << "a quarter of a fifth is left out";
  EXPECT_NEAR(static_cast<double>(std::count(copy.begin(), copy.end(), 'W')), 100, 30);
  EXPECT_THAT(copy, HasSubstr(" other "));
}

TEST(SpoiledText, AtLeastOneWordIsEdited) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed, "test");
    const std::string copy = edited("aa bb cc", 0, "dd", rng);
    EXPECT_TRUE(words_in(copy) == 2 || changed_words(copy, "aa bb cc") <= 1) << copy;
  }
}

TEST(SpoiledText, DamageIsWhatItsNameSays) {
  Rng rng(3, "test");
  EXPECT_EQ(damaged(kText, Damage::empty, rng), "");
  EXPECT_LE(words_in(damaged(kText, Damage::too_short, rng)), 3u);
  EXPECT_THAT(damaged(kText, Damage::html_left, rng), HasSubstr("disease.</p>\n<p> The"));
  EXPECT_THAT(damaged(kText, Damage::mojibake, rng), HasSubstr("Ã"));
  const std::string control = damaged(kText, Damage::control_chars, rng);
  EXPECT_EQ(control.size(), kText.size());
  EXPECT_TRUE(std::any_of(control.begin(), control.end(), [](char c) { return c < ' '; }));
  EXPECT_THAT(damaged(kText, Damage::repetition, rng), HasSubstr("Numb chin syndrome. Numb"));
  EXPECT_EQ(damaged(kText, Damage::symbols, rng).find_first_of("aeiou"), std::string::npos);
  EXPECT_EQ(damaged(kText, Damage::no_label, rng), kText);
}

TEST(SpoiledText, TheSameRandomSeedGivesTheSameText) {
  Rng a(5, "test"), b(5, "test"), c(6, "test");
  const std::string one = edited(kText, 0.2, kText, a);
  EXPECT_EQ(one, edited(kText, 0.2, kText, b));
  EXPECT_NE(one, edited(kText, 0.2, kText, c));
}

}  // namespace
}  // namespace cupel::pipeline::claims
