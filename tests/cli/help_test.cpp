#include "cli/help.h"

#include <gmock/gmock.h>

namespace cupel::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Help, ListsEveryVerbAndEveryFlag) {
  const std::string help = help_of_all();
  for (const pipeline::Verb& verb : pipeline::verbs())
    EXPECT_THAT(help, HasSubstr("  " + std::string(verb.name) + " "));
  for (const char* flag :
       {"--out DIR", "--seed N", "--threads N", "--resume", "--dry-run", "--json"})
    EXPECT_THAT(help, HasSubstr(flag));
}

TEST(Help, OfAStageListsItsSettingsAndWhereTheyStand) {
  const std::string help = help_of(pipeline::find_verb("train"));
  EXPECT_THAT(help, HasSubstr("cupel train [recipe.yaml] [--key=value …] [flags]\n"));
  EXPECT_THAT(help, HasSubstr("  --loss_scale.min_scale "));
  EXPECT_THAT(help, HasSubstr("--train.key=value"));
}

TEST(Help, OfAVerbWithoutSettingsHasNone) {
  EXPECT_THAT(help_of(pipeline::find_verb("doctor")), Not(HasSubstr("Settings")));
  EXPECT_THAT(help_of(pipeline::find_verb("init")), HasSubstr("cupel init [sections] [flags]\n"));
}

}  // namespace
}  // namespace cupel::cli
