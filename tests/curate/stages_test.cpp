#include "curate/stages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "curate/curate.h"
#include "curate/decontaminate.h"

namespace cupel::curate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kEnglishText =
    "The liver of the patient was examined after the operation.";
constexpr std::string_view kGerman = "Die Leber des Patienten wurde nach der Operation untersucht.";

/// As in "format.too_short", of the stages that a row fails.
std::vector<std::string> broken(std::string_view text, const Config& config) {
  RowFields row;
  row.text = text;
  std::vector<std::string> rules;
  for (const RowStage& stage : row_stages(config))
    for (const Failure& failure : stage.check(row))
      rules.push_back(stage.name + "." + failure.rule);
  return rules;
}

TEST(Stages, AreThoseThatTheSettingsAskFor) {
  Config config;
  ASSERT_EQ(row_stages(config).size(), 1u);
  EXPECT_EQ(row_stages(config)[0].name, "format");
  config.format.reset();
  EXPECT_THAT(row_stages(config), IsEmpty());
  EXPECT_THAT(broken("hm", config), IsEmpty());
}

TEST(Stages, NameEveryRuleOfFormatThatIsBroken) {
  const Config config;
  EXPECT_THAT(broken(kEnglishText, config), IsEmpty());
  EXPECT_THAT(broken("hm", config), ElementsAre("format.too_short"));
}

TEST(Stages, NameTheLanguageThatIsNotWanted) {
  Config config;
  config.language = {"en"};
  EXPECT_THAT(broken(kEnglishText, config), IsEmpty());
  EXPECT_THAT(broken(kGerman, config), ElementsAre("language.de"));
  config.language = {"en", "de"};
  EXPECT_THAT(broken(kGerman, config), IsEmpty());
}

TEST(Stages, DropPersonalDataOfTheKindsThatAreNamed) {
  const std::string text = std::string(kEnglishText) + " Write to ana@example.org or 13812345678.";
  Config config;
  EXPECT_THAT(broken(text, config), IsEmpty());
  config.pii.kinds = {"email"};
  EXPECT_THAT(broken(text, config), ElementsAre("pii.email"));
  config.pii.kinds = {"cn_mobile", "email", "ipv4"};
  EXPECT_THAT(broken(text, config), ElementsAre("pii.cn_mobile", "pii.email"));
}

TEST(Stages, MaskPersonalDataInsteadOfDroppingTheRow) {
  Config config;
  config.format.reset();
  config.pii = {{"ipv4", "email"}, PiiAction::mask};
  const std::vector<RowStage> stages = row_stages(config);
  ASSERT_EQ(stages.size(), 1u);
  EXPECT_FALSE(stages[0].check);
  const auto edited = stages[0].edit("ana@example.org, 13812345678, bob@example.org");
  ASSERT_TRUE(edited);
  EXPECT_EQ(edited->text, "[EMAIL], 13812345678, [EMAIL]");
  EXPECT_THAT(edited->edits, ElementsAre(Edit{"pii", "email", 2}));
  EXPECT_FALSE(stages[0].edit("13812345678")) << "a kind that is not named";
}

TEST(Stages, DropWhatHoldsAnEvaluationTextAndShowIt) {
  Config config;
  config.decontaminate = DecontaminateConfig{};
  config.decontaminate->files = {{"a.jsonl"}, {"b.jsonl"}};
  config.pii = {{"email"}, PiiAction::mask};
  const std::string text = "The liver of the patient was examined after the operation.";
  const Decontaminator index(*config.decontaminate, {{{1, 5, words_of(text).hashes, {}}}, 0});
  const std::vector<RowStage> stages = row_stages(config, &index);
  ASSERT_EQ(stages.size(), 3u);
  EXPECT_EQ(stages[1].name, "pii");
  EXPECT_EQ(stages[2].name, "decontaminate");
  RowFields row;
  const std::string holds = "Note: " + text;
  row.text = holds;
  const std::vector<Failure> failed = stages[2].check(row);
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].rule, "overlap");
  EXPECT_EQ(failed[0].value, 1);
  EXPECT_EQ(failed[0].threshold, 0.8);
  ASSERT_TRUE(failed[0].evaluation);
  EXPECT_EQ(failed[0].evaluation->file, "b.jsonl");
  EXPECT_EQ(failed[0].evaluation->line, 5);
  EXPECT_EQ(failed[0].evaluation->match,
            "the liver of the patient was examined after the operation");
  row.text = "The kidney.";
  EXPECT_THAT(stages[2].check(row), IsEmpty());
}

TEST(Stages, ASettingThatCannotBeMetIsNamed) {
  Config config;
  config.input = {{"a.jsonl"}};
  EXPECT_THAT(config.problems(), IsEmpty());
  config.language = {"en", "xx"};
  EXPECT_THAT(config.problems(),
              ElementsAre(testing::HasSubstr("language: \"xx\" is no language")));
  config.language = {};
  config.text_field = "edited";
  EXPECT_THAT(config.problems(), IsEmpty());
  config.dedup.substring = SubstringConfig{};
  EXPECT_THAT(config.problems(),
              ElementsAre(testing::HasSubstr("\"edited\" is the mark of a row")));
  config.pii.kinds = {"email", "name"};
  EXPECT_THAT(config.pii.problems(),
              ElementsAre(testing::HasSubstr(
                  "\"name\" is no kind of personal data; there are email, ipv4")));
}

}  // namespace
}  // namespace cupel::curate
