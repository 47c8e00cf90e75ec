#include "pipeline/verbs.h"

#include <gmock/gmock.h>

#include <set>

#include "support/errors.h"

namespace cupel::pipeline {
namespace {

struct Weight {
  int64_t grams = 1;
  static constexpr auto fields() {
    return std::tuple{Field{"grams", &Weight::grams, "of ore", 1, 100}};
  }
};

struct Assay {
  int64_t gold = 0;
  static constexpr auto fields() { return std::tuple{Field{"gold", &Assay::gold, "grams found"}}; }
  std::string text() const { return std::to_string(gold) + " grams\n"; }
  int exit_code() const { return gold > 0 ? 0 : 1; }
};

Assay smelt(const Weight& weight, Run&) { return {weight.grams * 2}; }
Assay smelt_hot(const Weight& weight, const Heavy& heavy, Run&) {
  return {heavy.train == nullptr ? weight.grams : 0};
}
Assay look_at_verb(const Weight& weight, const Request&) { return {weight.grams - 1}; }

const yaml::Node kTwentyGrams = yaml::parse("grams: 20", "recipe.yaml");

TEST(Verbs, NamesAreUniqueAndEveryRowSaysWhatItDoes) {
  std::set<std::string_view> names;
  for (const Verb& verb : verbs()) {
    EXPECT_TRUE(names.insert(verb.name).second) << verb.name;
    EXPECT_FALSE(verb.summary.empty()) << verb.name;
    EXPECT_NE(verb.summary.back(), '.') << verb.name;
  }
}

TEST(Verbs, AnUnknownVerbGetsTheNearest) {
  EXPECT_THAT([] { find_verb("trian"); },
              throws_exactly(ErrorKind::config, "trian: unknown verb; did you mean \"train\"?"));
  EXPECT_THAT([] { find_verb("xyzzy"); },
              throws_exactly(ErrorKind::config, "xyzzy: unknown verb; cupel --help lists them"));
}

TEST(Verbs, ASectionIsFoundByBothNamesAndAServiceVerbIsNone) {
  EXPECT_EQ(find_section("training"), find_section("train"));
  EXPECT_NE(find_section("train"), nullptr);
  EXPECT_EQ(find_section("plan"), nullptr);
  EXPECT_EQ(find_section(""), nullptr);
}

TEST(Verbs, AFunctionWithARunMakesAStage) {
  const Verb row = verb<&smelt>("smelt", "melts ore");
  EXPECT_TRUE(row.is_stage());
  EXPECT_TRUE(row.takes_recipe);
  EXPECT_FALSE(row.needs_torch);
  cupel::Run run({});
  EXPECT_EQ(json::dump(row.run(kTwentyGrams, {"smelt", {}}, {}, run).report), R"({"gold":40})");
  EXPECT_EQ(json::dump(row.resolve(kTwentyGrams, {})), R"({"grams":20})");
}

TEST(Verbs, AFunctionThatAsksForTheHeavyProgramNeedsLibTorch) {
  const Verb row = verb<&smelt_hot>("smelt", "melts ore");
  EXPECT_TRUE(row.needs_torch);
  cupel::Run run({});
  EXPECT_EQ(json::dump(row.run(kTwentyGrams, {"smelt", {}}, {}, run).report), R"({"gold":20})");
  EXPECT_TRUE(find_verb("train").needs_torch);
}

TEST(Verbs, AFunctionWithARequestAnswersWithTextAndExitCode) {
  const Verb row = verb<&look_at_verb>("look", "weighs ore");
  EXPECT_FALSE(row.is_stage());
  const Result some = row.answer(kTwentyGrams, {});
  EXPECT_EQ(some.text, "19 grams\n");
  EXPECT_EQ(some.exit_code, 0);
  EXPECT_EQ(row.answer(yaml::parse("grams: 1", "recipe.yaml"), {}).exit_code, 1);
}

TEST(Verbs, ARowChecksItsSettings) {
  const Verb row = verb<&smelt>("smelt", "melts ore");
  EXPECT_THAT(
      [&] {
        row.resolve(yaml::parse("grams: 200", "recipe.yaml"), {"smelt", {}});
      },
      throws_error(ErrorKind::config, "must be between 1 and 100, not 200"));
}

}  // namespace
}  // namespace cupel::pipeline
