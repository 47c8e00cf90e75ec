#include <gtest/gtest.h>

#include "base/config.h"
#include "base/config_doc.h"
#include "base/config_yaml.h"
#include "support/errors.h"
#include "support/settings.h"

namespace cupel {
namespace {

Sample read_recipe(const std::string& text, const std::vector<std::string>& words = {}) {
  yaml::Node root = yaml::parse(text, "recipe.yaml");
  for (const std::string& word : words) yaml::merge_override(root, word);
  Sample sample;
  yaml::read_struct(root, sample, {"", "/recipes"});
  return sample;
}

auto fails_with(const std::string& message) { return throws_exactly(ErrorKind::config, message); }

TEST(Config, ReadsEveryKindOfField) {
  const Sample sample = read_recipe(
      "seed: 7\nepsilon: 1e-4\npacked: true\nname: 12\ninput: data/a.jsonl\nmode: reference\n"
      "layers: [256, 1e2]\nnested: {initial: 65536}\nlimit: 3\nweights: {a: 0.5, b: 2}\n"
      "stages: [{initial: 1}, 2]\n");
  EXPECT_EQ(sample.seed, 7);
  EXPECT_EQ(sample.epsilon, 1e-4);
  EXPECT_TRUE(sample.packed);
  EXPECT_EQ(sample.name, "12");
  EXPECT_EQ(sample.input.text, "/recipes/data/a.jsonl");
  EXPECT_EQ(sample.mode, Mode::reference);
  EXPECT_EQ(sample.layers, (std::vector<int>{256, 100}));
  EXPECT_EQ(sample.nested.initial, 65536);
  EXPECT_EQ(sample.limit, 3);
  EXPECT_EQ(sample.weights.at("b"), 2);
  ASSERT_EQ(sample.stages.size(), 2u);
  EXPECT_EQ(sample.stages[1].initial, 2) << "by the shorthand";
}

struct Needy {
  std::string name;
  static constexpr auto fields() { return std::tuple{Field{"name", &Needy::name, "a name"}}; }
  std::vector<std::string> problems() const {
    if (name.empty()) return {"name: missing"};
    return {};
  }
};

struct Kinds {
  std::vector<std::string> kinds;
  bool all = false;
  static constexpr std::string_view kShorthand = "kinds";
  static constexpr auto fields() {
    return std::tuple{Field{"kinds", &Kinds::kinds, "which"}, Field{"all", &Kinds::all, "of them"}};
  }
};
struct Holder {
  Kinds which;
  static constexpr auto fields() { return std::tuple{Field{"which", &Holder::which, "kinds"}}; }
};

TEST(Config, AListStandsForAStructWhoseShorthandIsOne) {
  Holder holder;
  yaml::read_struct(yaml::parse("which: [a, b]", "recipe.yaml"), holder, {});
  EXPECT_EQ(holder.which.kinds, (std::vector<std::string>{"a", "b"}));
  yaml::read_struct(yaml::parse("which: {kinds: [c], all: true}", "recipe.yaml"), holder, {});
  EXPECT_EQ(holder.which.kinds, (std::vector<std::string>{"c"}));
  EXPECT_TRUE(holder.which.all);
  const json::Value either =
      schema(describe<Holder>()).at("properties", "").at("which", "").at("anyOf", "");
  EXPECT_EQ(json::dump(either.as_array("")[1].at("type", "")), "\"array\"");
  EXPECT_THAT([&] { yaml::read_struct(yaml::parse("which: a", "recipe.yaml"), holder, {}); },
              throws_error(ErrorKind::config, "\"which.kinds\" must be a list, not a"));
}

struct Labelled {
  std::vector<Word> words{{"all"}};
  static constexpr auto fields() { return std::tuple{Field{"words", &Labelled::words, "some"}}; }
};

TEST(Config, AWordNeedsNoBracketsWhereAListOfThemIsAskedFor) {
  Labelled labelled;
  yaml::read_struct(yaml::parse("words: one", "recipe.yaml"), labelled, {});
  EXPECT_EQ(labelled.words, (std::vector<Word>{{"one"}}));
  yaml::read_struct(yaml::parse("words: [a, b]", "recipe.yaml"), labelled, {});
  EXPECT_EQ(labelled.words, (std::vector<Word>{{"a"}, {"b"}}));
  EXPECT_EQ(json::dump(to_json(labelled)), R"({"words":["a","b"]})");
  const json::Value words = schema(describe<Labelled>()).at("properties", "").at("words", "");
  EXPECT_EQ(json::dump(words.at("default", "")), R"(["all"])");
  EXPECT_EQ(json::dump(words.at("anyOf", "").as_array("")[1]), R"({"type":"string"})");
  EXPECT_NE(markdown_text("verb", "", describe<Labelled>()).find("word or list of words"),
            std::string::npos);
  EXPECT_THAT([&] { yaml::read_struct(yaml::parse("words: {a: 1}", "recipe.yaml"), labelled, {}); },
              throws_error(ErrorKind::config, "\"words\" must be a list, not a map"));
}

TEST(Config, AnEmptySectionIsCheckedLikeAnyOther) {
  for (const char* text : {"", "# nothing\n", "{}", "~"}) {
    Needy needy;
    EXPECT_THAT(
        [&] {
          yaml::read_struct(yaml::parse(text, "recipe.yaml"), needy, {"train", ""});
        },
        throws_error(ErrorKind::config, "train: name: missing"))
        << text;
  }
}

TEST(Config, KeepsTheDefaultsOfWhatIsNotMentioned) {
  EXPECT_EQ(read_recipe(""), Sample{});
  EXPECT_EQ(read_recipe("seed: 2").epsilon, Sample{}.epsilon);
  EXPECT_EQ(read_recipe("limit: null").limit, std::nullopt);
}

TEST(Config, AnUnknownKeyIsNamedWithItsPlaceAndTheNearestName) {
  EXPECT_THAT([] { read_recipe("seed: 1\nnested:\n    epslion: 2\n"); },
              fails_with("recipe.yaml:3:5: unknown key \"epslion\"; known keys: initial, "
                         "min_scale"));
  EXPECT_THAT([] { read_recipe("seed: 1\nepslion: 2\n"); },
              fails_with("recipe.yaml:2:1: unknown key \"epslion\", did you mean \"epsilon\"?"));
}

struct Renamed {
  int64_t length = 0;
  static constexpr std::array kElsewhere{Elsewhere{"max_len", "write length"}};
  static constexpr auto fields() { return std::tuple{Field{"length", &Renamed::length, ""}}; }
};

TEST(Config, ANameOfAnotherToolIsRefusedWithWhatToWrite) {
  Renamed out;
  EXPECT_THAT(
      [&] {
        const yaml::Node root = yaml::parse("length: 1\nmax_len: 2\n", "recipe.yaml");
        yaml::read_struct(root, out, {"train", ""});
      },
      throws_exactly(ErrorKind::config,
                     "recipe.yaml:2:1: \"train.max_len\" is a setting of other tools; write "
                     "length"));
}

TEST(Config, AnUnknownKeyOfTheCommandLineIsNamedInFull) {
  EXPECT_THAT([] { read_recipe("", {"--nested.min-scall=1"}); },
              fails_with("--nested.min-scall: unknown key \"nested.min_scall\", did you mean "
                         "\"nested.min_scale\"?"));
  EXPECT_THAT([] { read_recipe("", {"--nestd.initial=1"}); },
              fails_with("--nestd.initial: unknown key \"nestd\", did you mean \"nested\"?"));
}

TEST(Config, AnAliasIsTheSettingAndMayNotStandBesideIt) {
  EXPECT_EQ(read_recipe("eps: 0.2").epsilon, 0.2);
  EXPECT_THAT([] { read_recipe("epsilon: 0.1\neps: 0.2"); },
              fails_with("recipe.yaml:2:1: \"eps\" is another name of \"epsilon\", which is given "
                         "too; keep one of the two"));
  EXPECT_EQ(read_recipe("epsilon: 0.1", {"--eps=0.2"}).epsilon, 0.2)
      << "the command line overrides";
}

TEST(Config, ChecksTypes) {
  EXPECT_THAT(
      [] { read_recipe("seed: many"); },
      fails_with("recipe.yaml:1:7: \"seed\" must be a whole number, not many; write digits, "
                 "as in 42 or 1e3"));
  EXPECT_THAT([] { read_recipe("seed: 1.5"); }, throws_error(ErrorKind::config, "not 1.5"));
  EXPECT_THAT([] { read_recipe("seed:"); },
              throws_error(ErrorKind::config, "a whole number, not nothing"));
  EXPECT_THAT([] { read_recipe("epsilon: \"0.1\""); },
              fails_with("recipe.yaml:1:10: \"epsilon\" must be a number, not the text \"0.1\"; "
                         "remove the quotes"));
  EXPECT_THAT([] { read_recipe("epsilon: .nan"); },
              throws_error(ErrorKind::config, "must be a number"));
  EXPECT_THAT([] { read_recipe("packed: yes"); },
              fails_with("recipe.yaml:1:9: \"packed\" must be true or false, not yes; write true"));
  EXPECT_THAT([] { read_recipe("name: [a]"); },
              throws_error(ErrorKind::config, "must be text, not a list"));
  EXPECT_THAT([] { read_recipe("layers: 3"); },
              fails_with("recipe.yaml:1:9: \"layers\" must be a list, not 3; write it in brackets, "
                         "as in [a, b]"));
  EXPECT_THAT([] { read_recipe("layers: [1, x]"); },
              throws_error(ErrorKind::config, "recipe.yaml:1:13: \"layers[1]\" must be a whole"));
  EXPECT_THAT([] { read_recipe("nested: [1]"); },
              throws_error(ErrorKind::config, "\"nested\" must be a map, not a list"));
  EXPECT_THAT([] { read_recipe("[1]"); },
              throws_error(ErrorKind::config, "the recipe must be a map, not a list"));
}

TEST(Config, ChecksRanges) {
  EXPECT_THAT([] { read_recipe("epsilon: 2"); },
              fails_with("recipe.yaml:1:10: \"epsilon\" must be between 0 and 1, not 2; choose a "
                         "value in the range"));
  EXPECT_THAT([] { read_recipe("nested: {min_scale: 0}"); },
              throws_error(ErrorKind::config, "\"nested.min_scale\" must be at least 1, not 0"));
  EXPECT_THAT([] { read_recipe("layers: [3000000000]"); },
              throws_error(ErrorKind::config, "between -2147483648 and 2147483647"));
  EXPECT_THAT([] { read_recipe("seed: 9223372036854775808"); },
              throws_error(ErrorKind::config, "\"seed\" must be a whole number"));
}

TEST(Config, NamesTheChoicesAndTheNearestOne) {
  EXPECT_THAT([] { read_recipe("mode: refrence"); },
              fails_with("recipe.yaml:1:7: \"mode\" must be one of duplicate, reference, not "
                         "refrence; did you mean \"reference\"?"));
}

TEST(Config, ReportsWhatSpansFields) {
  EXPECT_THAT([] { read_recipe("nested: {initial: 2, min_scale: 4}"); },
              throws_error(ErrorKind::config,
                           "recipe.yaml:1:9: nested: min_scale must not exceed initial"));
}

TEST(Config, EverySpellingOfANumberIsOne) {
  for (const char* text :
       {"1e-4", "1E-4", "1.0e-4", "1.e-4", ".0001", "0.0001", "+1e-4", "1e-04"}) {
    EXPECT_EQ(read_recipe(std::string("epsilon: ") + text).epsilon, 1e-4) << text;
  }
  for (const char* text : {"0x10", "1_000", "1e", "--1", "1e-4x", "inf", "", "1,5", "+-1"}) {
    EXPECT_THROW(read_recipe(std::string("epsilon: ") + text), Error) << text;
  }
  EXPECT_EQ(read_recipe("seed: -3").seed, -3);
  EXPECT_EQ(read_recipe("seed: 1e3").seed, 1000);
  EXPECT_EQ(read_recipe("seed: +3").seed, 3);
  EXPECT_THROW(read_recipe("seed: +-3"), Error);
}

TEST(Config, PathsAreRelativeToTheRecipeAndOnTheCommandLineToTheShell) {
  EXPECT_EQ(read_recipe("input: ../a").input.text, "/a");
  EXPECT_EQ(read_recipe("input: /x/a").input.text, "/x/a");
  EXPECT_EQ(read_recipe("input: \"\"").input.text, "");
  EXPECT_EQ(read_recipe("input: ${curate.kept}").input.text, "${curate.kept}");
  EXPECT_EQ(read_recipe("", {"--input=a/b"}).input.text, "a/b");
}

struct Sized {
  ByteSize limit{1 << 20};
  std::vector<Path> files;
  static constexpr auto fields() {
    return std::tuple{Field{"limit", &Sized::limit, "most bytes", 1000, 1e12},
                      Field{"files", &Sized::files, "what to read"}};
  }
};

Sized read_sized(const std::string& text) {
  Sized sized;
  yaml::read_struct(yaml::parse(text, "recipe.yaml"), sized, {"", "/recipes"});
  return sized;
}

TEST(Config, ASizeIsANumberWithAUnit) {
  for (const char* text : {"1GB", "1 GB", "1000MB", "0.001TB", "1e9B", "\"1GB\""})
    EXPECT_EQ(read_sized(std::string("limit: ") + text).limit.bytes, 1'000'000'000) << text;
  EXPECT_EQ(read_sized("limit: 1.5GiB").limit.bytes, 3 << 29);
  EXPECT_THAT(
      [] { read_sized("limit: 512"); },
      fails_with("recipe.yaml:1:8: \"limit\" must be a size with its unit, not 512; write it "
                 "as in 512MB or 2GiB"));
  for (const char* text : {"MB", "-1MB", "1mb", "1 G", "xMB", "1e30TB", "[1MB]", ".infMB"})
    EXPECT_THAT([&] { read_sized(std::string("limit: ") + text); },
                throws_error(ErrorKind::config, "must be a size"))
        << text;
  EXPECT_THAT([] { read_sized("limit: 1B"); }, throws_error(ErrorKind::config, "must be between"));
}

TEST(Config, ASizeIsWrittenAsShortAsItReadsBackEqual) {
  EXPECT_EQ(to_text(ByteSize{512'000'000}), "512MB");
  EXPECT_EQ(to_text(ByteSize{int64_t{2} << 30}), "2GiB");
  EXPECT_EQ(to_text(ByteSize{1'000'001}), "1000001B");
  EXPECT_EQ(to_text(ByteSize{0}), "0B");
}

TEST(Config, OneFileNeedsNoBrackets) {
  EXPECT_EQ(read_sized("files: a.jsonl").files, (std::vector<Path>{{"/recipes/a.jsonl"}}));
  EXPECT_EQ(read_sized("files: [a.jsonl, /b]").files,
            (std::vector<Path>{{"/recipes/a.jsonl"}, {"/b"}}));
}

TEST(Nearest, CountsASwapOfNeighboursAsOne) {
  EXPECT_EQ(yaml::nearest("ab", {"ba"}), "ba");
  EXPECT_EQ(yaml::nearest("similarty", {"seed", "similarity"}), "similarity");
  EXPECT_EQ(yaml::nearest("xyz", {"abc"}), "");
  EXPECT_EQ(yaml::nearest("lr", {"learning_rate"}), "");
  EXPECT_EQ(yaml::nearest("a", {"b"}), "") << "one letter is near to anything";
  EXPECT_EQ(yaml::nearest(std::string(1 << 20, 'x'), {"seed"}), "");
}

TEST(Config, AnErrorRepeatsNoMoreThanALineOfTheUsersText) {
  try {
    read_recipe("seed: " + std::string(1 << 20, 'x'));
    FAIL();
  } catch (const Error& error) {
    EXPECT_LT(std::string(error.what()).size(), 300u);
  }
}

}  // namespace
}  // namespace cupel
