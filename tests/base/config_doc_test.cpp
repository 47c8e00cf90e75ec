#include "base/config_doc.h"

#include <gmock/gmock.h>

#include <sstream>

#include "support/settings.h"

namespace cupel {
namespace {

using testing::HasSubstr;

Sample read_sample(const std::string& text) {
  Sample sample;
  yaml::read_struct(yaml::parse(text, "config.yaml"), sample, {});
  return sample;
}

TEST(ConfigDoc, ResolvedSettingsReadBackEqual) {
  Sample sample;
  sample.epsilon = 1.0 / 3;
  sample.name = "true";
  sample.input = {"a b/\"c\": #é\n.jsonl"};
  sample.mode = Mode::reference;
  sample.layers = {};
  sample.limit = -1;
  sample.weights = {{"1e3", 0.1}, {"null", 2}};
  sample.stages = {{8, 2}, {1e9, 1}};
  const std::string text = to_yaml(to_json(sample));
  EXPECT_EQ(read_sample(text), sample) << text;
  EXPECT_EQ(to_yaml(to_json(read_sample(text))), text);
}

TEST(ConfigDoc, TheResolvedTextNamesEverySettingInOrder) {
  EXPECT_EQ(to_yaml(to_json(Sample{})),
            "seed: 0\nepsilon: 0.1\npacked: false\nname: \"\"\ninput: \"\"\nmode: duplicate\n"
            "layers: [4, 4]\nnested:\n  initial: 1024.0\n  min_scale: 1.0\nlimit: null\n"
            "weights: {}\nstages: []\n");
}

TEST(ConfigDoc, TextThatLooksLikeSomethingElseStaysText) {
  for (const std::string text : {"1", "1e-4", "null", "~", "true", "yes", "-", "a: b", "[", "#x",
                                 " a", "", "..", "-.inf", "é"}) {
    Sample sample;
    sample.name = text;
    EXPECT_EQ(read_sample(to_yaml(to_json(sample))).name, text);
  }
}

TEST(ConfigDoc, HelpNamesTypeRangeDefaultAndAliases) {
  const std::string help = help_text(describe<Sample>(), "train.");
  EXPECT_THAT(help, HasSubstr("  --train.epsilon                     size of the step [number; "
                              "0 … 1; default 0.1; also eps]\n"));
  EXPECT_THAT(help, HasSubstr("--train.nested.initial"));
  EXPECT_THAT(help, HasSubstr("--train.stages[].min_scale"));
  EXPECT_THAT(help, HasSubstr("[duplicate|reference; default duplicate]"));
  EXPECT_THAT(help, HasSubstr("[list of integer; default [4,4]]"));
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 104u) << line;
}

TEST(ConfigDoc, HelpWrapsLongTexts) {
  FieldDoc field;
  field.name = "x";
  field.type = "text";
  field.low = -INFINITY;
  field.high = INFINITY;
  for (int i = 0; i < 30; ++i) field.help += "word ";
  const std::string help = help_text({field}, "");
  std::istringstream lines(help);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_LE(line.size(), 100u);
  EXPECT_EQ(count, 3);
}

TEST(ConfigDoc, MarkdownIsOneRowASetting) {
  const std::string page = markdown_text("sample", "Does a thing.", describe<Sample>());
  EXPECT_THAT(page, testing::StartsWith("# sample\n\nDoes a thing.\n\n| setting |"));
  EXPECT_THAT(page, HasSubstr("| `epsilon` | number | `0.1` | 0 … 1 | size of the step; also "
                              "`eps` |\n"));
  EXPECT_THAT(page,
              HasSubstr("| `nested.min_scale` | number | `1.0` | ≥ 1 | floor of the scale |"));
  EXPECT_THAT(page, HasSubstr("name of the run \\| a bar"));
  EXPECT_THAT(page, HasSubstr("duplicate\\|reference"));
}

struct ByName {
  std::map<std::string, Nested> scales;
  static constexpr auto fields() {
    return std::tuple{Field{"scales", &ByName::scales, "loss scale by name"}};
  }
};

TEST(ConfigDoc, TheFieldsOfAMapsValuesStandBelowAName) {
  const std::string page = markdown_text("sample", "Does a thing.", describe<ByName>());
  EXPECT_THAT(page, HasSubstr("| `scales` | map |  |  | loss scale by name |\n"
                              "| `scales.NAME.initial` | number | `1024.0` |"));
  const json::Value all = schema(describe<ByName>());
  const json::Value& scales = all.at("properties", "").at("scales", "");
  EXPECT_EQ(scales.find("properties"), nullptr) << "names are free";
  EXPECT_NE(scales.at("additionalProperties", "").at("properties", "").find("initial"), nullptr);
}

TEST(ConfigDoc, SchemaTellsAnEditorWhatTheReaderTakes) {
  const json::Value all = schema(describe<Sample>());
  EXPECT_EQ(json::dump(all.at("additionalProperties", "")), "false");
  const json::Value& fields = all.at("properties", "");
  EXPECT_EQ(json::dump(fields.at("epsilon", "")),
            R"({"type":"number","minimum":0.0,"maximum":1.0,"description":"size of the step",)"
            R"("default":0.1})");
  EXPECT_NE(fields.find("eps"), nullptr);
  EXPECT_EQ(json::dump(fields.at("mode", "").at("enum", "")), R"(["duplicate","reference"])");
  EXPECT_EQ(json::dump(fields.at("limit", "").at("anyOf", "")),
            R"([{"type":"integer"},{"type":"null"}])");
  EXPECT_EQ(fields.at("nested", "").at("anyOf", "").as_array("").size(), 2u) << "struct, shorthand";
  EXPECT_EQ(json::dump(fields.at("stages", "").at("type", "")), "\"array\"");
}

}  // namespace
}  // namespace cupel
