#include "base/config_yaml.h"

#include <gtest/gtest.h>

#include <functional>

#include "support/errors.h"

namespace cupel::yaml {
namespace {

Node tree(const std::string& text) { return parse(text, "recipe.yaml"); }

auto refuses_yaml(const std::string& text, const std::string& message) {
  return testing::Matches(throws_error(ErrorKind::config, message))(
      std::function<void()>([text] { tree(text); }));
}

TEST(Yaml, KeepsOrderPlacesAndQuotes) {
  const Node root = tree("b: 1\na:\n  - x\n  - \"2\"\nn:\n");
  ASSERT_EQ(root.members.size(), 3u);
  EXPECT_EQ(root.members[0].first, "b");
  const Node& list = *root.find("a");
  EXPECT_EQ(list.key_where, "recipe.yaml:2:1");
  EXPECT_EQ(list.items[0].where, "recipe.yaml:3:5");
  EXPECT_FALSE(list.items[0].quoted);
  EXPECT_TRUE(list.items[1].quoted);
  EXPECT_EQ(root.find("n")->kind, Node::Kind::null);
  EXPECT_EQ(root.find("x"), nullptr);
}

TEST(Yaml, AnEmptyTextIsNull) {
  EXPECT_EQ(tree("").kind, Node::Kind::null);
  EXPECT_EQ(tree("# only a comment\n").kind, Node::Kind::null);
}

TEST(Yaml, RefusesADuplicateKeyWithBothPlaces) {
  EXPECT_THAT([] { tree("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n"); },
              throws_exactly(ErrorKind::config,
                             "recipe.yaml:5:3: duplicate key \"c\", first at recipe.yaml:3:3; keep "
                             "one of the two"));
  EXPECT_TRUE(refuses_yaml("{a: 1, \"a\": 2}", "recipe.yaml:1:8: duplicate key \"a\""));
  EXPECT_NO_THROW(tree("a: {a: {a: 1}}"));
}

TEST(Yaml, ASyntaxErrorHasItsPlace) {
  EXPECT_TRUE(refuses_yaml("a: [1, 2\nb: 3", "recipe.yaml:2:"));
  EXPECT_TRUE(refuses_yaml("a: b: c", "recipe.yaml:1:5: "));
  EXPECT_TRUE(refuses_yaml("a: *nothing", "recipe.yaml:1:"));
}

TEST(Yaml, RefusesWhatNoRecipeNeeds) {
  EXPECT_TRUE(refuses_yaml("a: 1\n---\nb: 2", "a second document"));
  EXPECT_TRUE(refuses_yaml("[a]: 1", "a key must be text"));
  EXPECT_TRUE(refuses_yaml("a: !!python/object:os.system x", "unknown tag"));
  EXPECT_EQ(tree("a: !!str 1").find("a")->quoted, true);
}

TEST(Yaml, RefusesBytesThatTheLibraryWouldRepairOrStopAt) {
  EXPECT_TRUE(refuses_yaml("a: 1\nb: \x04\nc: 2", "recipe.yaml:2:4: a control character"));
  EXPECT_TRUE(refuses_yaml(std::string("a: \0b", 6), "recipe.yaml:1:4: a control character"));
  EXPECT_TRUE(refuses_yaml("a: \xff", "recipe.yaml:1:4: not UTF-8"));
}

TEST(Yaml, RefusesDepthThatWouldCostTheStack) {
  std::string deep, text;
  for (int i = 0; i < 65; ++i) deep += "[";
  EXPECT_TRUE(refuses_yaml("a: " + deep, "nested more than 64 levels deep"));
  for (int i = 0; i < 100; ++i) text += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_TRUE(refuses_yaml(text, "nested more than 64 levels deep"));
  EXPECT_TRUE(refuses_yaml(std::string(100000, '['), "recipe.yaml:1:"));
}

TEST(Yaml, RefusesTooLargeATextAndTooManyValues) {
  EXPECT_TRUE(refuses_yaml(std::string((4 << 20) + 1, ' '), "recipe.yaml: larger than 4 MiB"));
  std::string many = "[";
  for (int i = 0; i < 100001; ++i) many += "1,";
  EXPECT_TRUE(refuses_yaml(many + "]", "more than 100000 values"));
}

TEST(Yaml, AnAliasIsACopyAtItsPlace) {
  const Node root = tree("a: &x {n: 1}\nb: *x\n");
  EXPECT_EQ(root.find("b")->find("n")->scalar, "1");
  EXPECT_EQ(root.find("b")->where, "recipe.yaml:2:4");
}

TEST(Yaml, RefusesABombOfAliases) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 8; ++j) bomb += ", " + before;
    bomb += "]\n";
  }
  EXPECT_TRUE(refuses_yaml(bomb, "aliases included"));
  std::string wide = "a: &a " + std::string(1 << 20, 'x') + "\nb: [";
  for (int i = 0; i < 1000; ++i) wide += "*a, ";
  EXPECT_TRUE(refuses_yaml(wide + "]", "MiB of text, aliases included"));
  EXPECT_TRUE(refuses_yaml("a: &a [*a]", "an alias inside the value it stands for"));
  std::string chain = "a0: &a0 [x]\n";
  for (int i = 1; i < 70; ++i) {
    chain += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
             "]\n";
  }
  EXPECT_TRUE(refuses_yaml(chain, "nested more than 64 levels deep"));
}

Node with_override(const std::string& text, const std::string& word) {
  Node root = tree(text);
  merge_override(root, word);
  return root;
}

auto override_fails(const std::string& text, const std::string& word, const std::string& message) {
  return testing::Matches(throws_exactly(ErrorKind::config, message))(
      std::function<void()>([=] { with_override(text, word); }));
}

TEST(Override, ReplacesAddsAndMakesMapsOnTheWay) {
  EXPECT_EQ(dump(with_override("train: {seed: 1}", "--train.seed=2")), "train:\n  seed: 2\n");
  EXPECT_EQ(dump(with_override("", "--train.loss_scale.initial=1024")),
            "train:\n  loss_scale:\n    initial: 1024\n");
  EXPECT_EQ(dump(with_override("train:", "--train.layers=[1, 2]")), "train:\n  layers: [1, 2]\n");
}

TEST(Override, TakesKebabCaseForSnakeCase) {
  EXPECT_EQ(dump(with_override("train: {loss_scale: 1}", "--train.loss-scale=2")),
            "train:\n  loss_scale: 2\n");
}

TEST(Override, ANumberPicksTheItemOfAList) {
  EXPECT_EQ(dump(with_override("d: [{path: a}, {path: b}]", "--d.1.path=c")),
            "d:\n  - path: a\n  - path: c\n");
  EXPECT_TRUE(override_fails("d: [{path: a}]", "--d.1.path=c",
                             "--d.1.path: \"1\" is no item of the list of 1 at recipe.yaml:1:4; "
                             "items count from 0"));
}

TEST(Override, RemembersTheWordAsItsPlace) {
  const Node root = with_override("", "--train.sizes=[1]");
  EXPECT_EQ(root.find("train")->find("sizes")->items[0].where, "--train.sizes");
  EXPECT_TRUE(from_command_line(*root.find("train")));
  EXPECT_FALSE(from_command_line(*tree("a: 1").find("a")));
}

TEST(Override, RefusesAWordThatIsNoSetting) {
  EXPECT_TRUE(override_fails("", "--seed", "--seed: not a setting; write --section.key=value"));
  EXPECT_TRUE(override_fails("", "--=1", "--=1: not a setting; write --section.key=value"));
  EXPECT_TRUE(override_fails("", "--a..b=1", "--a..b=1: not a setting; write --section.key=value"));
  EXPECT_TRUE(override_fails("a: word", "--a.b=1",
                             "--a.b: \"b\" cannot be set inside \"word\" at recipe.yaml:1:4; write "
                             "that value as a map"));
}

TEST(Yaml, DumpReadsBackAsTheSameTree) {
  const std::string text =
      "a: plain\nb: \"1\"\nc: 1e-4\nd: [1, \"two words\", null]\ne: {}\nf: []\n"
      "g:\n  - x: 1\n    k:\n      - z: 1\n  - [1, 2]\nh:\n  - - - deep: 1\n\"odd key:\": ~\n";
  const std::string once = dump(tree(text));
  EXPECT_EQ(dump(tree(once)), once);
  EXPECT_EQ(once,
            "a: plain\nb: \"1\"\nc: 1e-4\nd: [1, \"two words\", null]\ne: {}\nf: []\n"
            "g:\n  - x: 1\n    k:\n      - z: 1\n  - [1, 2]\nh:\n  - - - deep: 1\n\"odd key:\": "
            "null\n");
}

}  // namespace
}  // namespace cupel::yaml
