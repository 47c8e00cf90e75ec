#include "curate/stages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "curate/curate.h"

namespace cupel::curate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kEnglish = "The liver of the patient was examined after the operation.";
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
  EXPECT_THAT(broken(kEnglish, config), IsEmpty());
  EXPECT_THAT(broken("hm", config), ElementsAre("format.too_short"));
}

TEST(Stages, NameTheLanguageThatIsNotWanted) {
  Config config;
  config.language = {"en"};
  EXPECT_THAT(broken(kEnglish, config), IsEmpty());
  EXPECT_THAT(broken(kGerman, config), ElementsAre("language.de"));
  config.language = {"en", "de"};
  EXPECT_THAT(broken(kGerman, config), IsEmpty());
}

TEST(Stages, DropPersonalDataOfTheKindsThatAreNamed) {
  const std::string text = std::string(kEnglish) + " Write to ana@example.org or 13812345678.";
  Config config;
  EXPECT_THAT(broken(text, config), IsEmpty());
  config.pii = {"email"};
  EXPECT_THAT(broken(text, config), ElementsAre("pii.email"));
  config.pii = {"cn_mobile", "email", "ipv4"};
  EXPECT_THAT(broken(text, config), ElementsAre("pii.cn_mobile", "pii.email"));
}

TEST(Stages, ASettingThatCannotBeMetIsNamed) {
  Config config;
  config.input = {{"a.jsonl"}};
  EXPECT_THAT(config.problems(), IsEmpty());
  config.language = {"en", "xx"};
  config.pii = {"name"};
  EXPECT_THAT(config.problems(),
              ElementsAre(testing::HasSubstr("language: \"xx\" is no language"),
                          testing::HasSubstr("pii: \"name\" is no kind of personal data; there are "
                                             "email, ipv4")));
}

}  // namespace
}  // namespace cupel::curate
