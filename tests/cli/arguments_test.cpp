#include "cli/arguments.h"

#include <gmock/gmock.h>

#include "pipeline/verbs.h"
#include "support/errors.h"

namespace cupel::cli {
namespace {

using pipeline::CommandLine;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Arguments, AreVerbWordsFlagsAndOverrides) {
  const CommandLine line = parse_arguments({"train", "recipe.yaml", "--train.lr=1e-3", "--out",
                                            "runs/a", "--seed=5", "--dry-run", "--json"});
  EXPECT_EQ(line.verb->name, "train");
  EXPECT_THAT(line.words, ElementsAre("recipe.yaml"));
  EXPECT_THAT(line.overrides, ElementsAre("--train.lr=1e-3"));
  EXPECT_EQ(line.flags.out.text, "runs/a");
  EXPECT_EQ(line.flags.seed, 5);
  EXPECT_TRUE(line.flags.dry_run);
  EXPECT_TRUE(line.flags.json);
  EXPECT_FALSE(line.flags.resume);
}

TEST(Arguments, FlagsMayComeBeforeTheVerbAndTheLastOneCounts) {
  const CommandLine line = parse_arguments({"--seed", "1", "run", "--seed", "2", "--resume=false"});
  EXPECT_EQ(line.verb->name, "run");
  EXPECT_EQ(line.flags.seed, 2);
  EXPECT_FALSE(line.flags.resume);
}

TEST(Arguments, ASecondWordMayNameAModeOfTheVerb) {
  const CommandLine line = parse_arguments({"curate", "explain", "runs/a", "explain"});
  EXPECT_EQ(line.verb->name, "curate explain");
  EXPECT_THAT(line.words, ElementsAre("runs/a", "explain"));
  EXPECT_EQ(parse_arguments({"curate", "./explain"}).verb->name, "curate");
  EXPECT_EQ(parse_arguments({"train", "explain"}).verb->name, "train");
}

TEST(Arguments, NoneMeanNoVerb) {
  EXPECT_EQ(parse_arguments({}).verb, nullptr);
  EXPECT_TRUE(parse_arguments({"-h"}).flags.help);
}

TEST(Arguments, AFolderMayLookLikeANumber) {
  EXPECT_EQ(parse_arguments({"run", "--out", "007"}).flags.out.text, "007");
  EXPECT_THAT(parse_arguments({"run", "--out", "007"}).words, IsEmpty());
}

TEST(ArgumentErrors, NameTheFlag) {
  EXPECT_THAT(
      [] {
        parse_arguments({"run", "--out"});
      },
      throws_exactly(ErrorKind::config, "--out: a flag without a value; write --out VALUE"));
  EXPECT_THAT(
      [] {
        parse_arguments({"run", "--seed", "--json"});
      },
      throws_error(ErrorKind::config, "--seed: a flag without a value"));
  EXPECT_THAT(
      [] {
        parse_arguments({"run", "-x"});
      },
      throws_exactly(ErrorKind::config, "-x: unknown flag; flags begin with two dashes"));
  EXPECT_THAT(
      [] {
        parse_arguments({"run", "--seed=x"});
      },
      throws_exactly(ErrorKind::config,
                     "--seed: \"seed\" must be a whole number, not x; write digits, as in 42 "
                     "or 1e3"));
  EXPECT_THAT(
      [] {
        parse_arguments({"run", "--threads=0"});
      },
      throws_error(ErrorKind::config, "--threads: \"threads\" must be between 1 and 10000, not 0"));
  EXPECT_THAT(
      [] {
        parse_arguments({"run", "--json=maybe"});
      },
      throws_error(ErrorKind::config, "\"json\" must be true or false"));
}

}  // namespace
}  // namespace cupel::cli
