#include "curate/rules.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <string>

#include "base/config_yaml.h"
#include "data/read.h"
#include "data/unicode.h"

namespace cupel::curate {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kEnglish =
    "Late potentials were recorded in 41 patients before and after surgical repair of the left "
    "ventricle (mean age 54.3 years, range 31-72). The potentials had gone in 28 of them, and the "
    "arrhythmia could not be induced in 25 (61%, p < 0.01). We conclude that surgery removes the "
    "substrate of the arrhythmia in most patients, and that the signal-averaged electrocardiogram "
    "is of use in the choice of those who have to be studied again.";

constexpr std::string_view kChinese =
    "目的：观察左心室修补术前后晚电位的变化。方法：对41例患者（平均年龄54岁）在手术前后分别记录信号"
    "平均心电图，并进行电生理检查。结果：28例患者的晚电位消失，25例（61%"
    "）不再诱发心律失常。结论：手术"
    "可以去除大多数患者心律失常的基质，信号平均心电图有助于选择需要再次检查的病人。";

std::vector<std::string> failed(std::string_view text, const FormatConfig& config = {}) {
  std::vector<std::string> names;
  for (const RuleFailure& failure : check_format(text, config)) names.emplace_back(failure.rule);
  return names;
}

FormatConfig with(RuleSet set) {
  FormatConfig config;
  config.sets = {set};
  return config;
}

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(FormatRules, LetCleanTextPassEverySet) {
  FormatConfig all;
  all.sets = {RuleSet::gopher, RuleSet::c4, RuleSet::fineweb};
  EXPECT_THAT(failed(kEnglish, all), IsEmpty());
  EXPECT_THAT(failed(kChinese, all), IsEmpty());
}

TEST(FormatRules, NameAnEmptyTextAlone) {
  EXPECT_THAT(failed(""), ElementsAre("empty"));
  EXPECT_THAT(failed(" \n\t　"), ElementsAre("empty"));
}

TEST(FormatRules, CountCharactersOfScriptsWithoutSpacesTwice) {
  EXPECT_THAT(failed("Twenty-six characters here"), ElementsAre("too_short"));
  EXPECT_THAT(failed("左心室修补术前后晚电位的变化与心律失常的关系探讨分析"), IsEmpty());
  EXPECT_THAT(failed("左心室修补术"), ElementsAre("too_short"));
}

TEST(FormatRules, SayWhatWasMeasuredAndWhatIsAllowed) {
  FormatConfig config;
  config.max_chars = 100;
  const auto failures = check_format(kEnglish, config);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].rule, "too_long");
  EXPECT_EQ(failures[0].value, static_cast<double>(count_characters(kEnglish)));
  EXPECT_EQ(failures[0].threshold, 100);
}

TEST(FormatRules, ListEveryRuleThatFails) {
  EXPECT_THAT(failed("<b>\x01\xEF\xBF\xBD</b>Ã©"),
              ElementsAre("too_short", "replacement_characters", "control_characters", "mojibake",
                          "markup_share", "symbols"));
}

TEST(FormatRules, FindCharactersThatWereLost) {
  std::string text(kEnglish);
  for (std::size_t at = 10; at < text.size(); at += 40) text[at] = '\x02';
  EXPECT_THAT(failed(text), ElementsAre("control_characters"));
  std::string chinese(kChinese);
  for (int i = 0; i < 3; ++i) chinese += "锟斤拷";
  EXPECT_THAT(failed(chinese), ElementsAre("mojibake"));
  EXPECT_THAT(failed(std::string(kEnglish) + "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"),
              ElementsAre("replacement_characters"));
}

TEST(FormatRules, FindMarkupByShareAndByCount) {
  EXPECT_THAT(failed("<div class=\"nav\"><a href=\"/\">Home</a></div>" + std::string(kEnglish)),
              ElementsAre("markup_share"));
  FormatConfig config;
  config.max_markup = 2;
  EXPECT_THAT(failed("<i>Late</i> <i>potentials</i> " + std::string(kEnglish), config),
              ElementsAre("markup_count"));
}

TEST(FormatRules, FindBrokenJson) {
  const std::string good =
      R"({"title": "Late potentials", "text": "They were recorded in patients"})";
  EXPECT_THAT(failed(good), IsEmpty());
  const std::string other =
      R"({"title": "Renal failure", "text": "It was seen in nine of the others"})";
  EXPECT_THAT(failed(good + "\n" + other), IsEmpty()) << "a document a line";
  EXPECT_THAT(failed(good.substr(0, good.size() - 2)), Contains("broken_json"));
  EXPECT_THAT(failed("[{" + good.substr(1)), Contains("broken_json"));
  EXPECT_THAT(failed("[1] " + std::string(kEnglish)), IsEmpty());
  EXPECT_THAT(failed("[[Heart]] {x} " + std::string(kEnglish)), IsEmpty());
  FormatConfig config;
  config.check_json = false;
  EXPECT_THAT(failed(good.substr(0, good.size() - 2), config), Not(Contains("broken_json")));
}

TEST(FormatRules, FindTextThatIsNoLanguage) {
  EXPECT_THAT(failed(repeated("08 16 42 23 15 ", 10)), Contains("digits"));
  EXPECT_THAT(failed(repeated("*#-/_.: ", 20)), Contains("punctuation"));
  EXPECT_THAT(failed(repeated("+=|<>~ ", 20)), Contains("symbols"));
  EXPECT_THAT(failed(repeated("哈", 60)), Contains("repeated_characters"));
  EXPECT_THAT(failed(repeated("Late potentials were recorded. ", 20)),
              ElementsAre("duplicate_5_grams"));
  EXPECT_THAT(failed(repeated("信号平均心电图有助于选择病人。", 20)),
              ElementsAre("duplicate_5_grams"));
}

TEST(FormatRules, TakeTheirThresholdsFromTheSettings) {
  struct Case {
    std::string_view rule;
    double FormatConfig::*threshold;
  };
  for (const Case& c : {Case{"digits", &FormatConfig::max_digit_ratio},
                        Case{"symbols", &FormatConfig::max_symbol_ratio},
                        Case{"punctuation", &FormatConfig::max_punctuation_ratio},
                        Case{"repeated_characters", &FormatConfig::max_repeated_ratio}}) {
    FormatConfig config;
    config.*c.threshold = 0;
    EXPECT_THAT(failed(kEnglish, config), ElementsAre(std::string(c.rule)));
    config.*c.threshold = 1;
    EXPECT_THAT(failed(kEnglish, config), IsEmpty());
  }
}

TEST(GopherRules, AskForWords) {
  const auto gopher = with(RuleSet::gopher);
  EXPECT_THAT(
      failed("The role of endothelin in the pathogenesis of renal failure and that of others.",
             gopher),
      ElementsAre("gopher_min_words"));
  EXPECT_THAT(failed(repeated("aa bb cc dd a b c d 1 ", 30) + std::string(kEnglish), gopher),
              Contains("gopher_min_word_length"));
  EXPECT_THAT(failed(kChinese, gopher), IsEmpty()) << "words of one character are no short words";
}

TEST(GopherRules, AskForStopWordsOfEnglishOnly) {
  std::string no_stop_words, german;
  for (const char* word :
       {"renal", "failure", "study", "patient", "cohort", "groups", "dialysis", "trial", "onset"})
    no_stop_words += repeated(std::string(word) + " shows its risks: ", 6);
  EXPECT_THAT(failed(no_stop_words, with(RuleSet::gopher)), Contains("gopher_stop_words"));
  for (int i = 0; i < 6; ++i)
    german +=
        "Der Patient erhielt " + std::to_string(i) + " Dosen, weil das Fieber nicht gesunken war. ";
  EXPECT_THAT(failed(german, with(RuleSet::gopher)), Not(Contains("gopher_stop_words")));
}

TEST(GopherRules, MeasureLinesAndRepetition) {
  const auto gopher = with(RuleSet::gopher);
  const std::string english(kEnglish);
  EXPECT_THAT(
      failed(english + "\n\n" + english, gopher),
      ElementsAre("duplicate_5_grams", "gopher_duplicate_lines", "gopher_duplicate_line_characters",
                  "gopher_duplicate_paragraphs", "gopher_duplicate_paragraph_characters",
                  "gopher_duplicate_5_grams", "gopher_duplicate_6_grams",
                  "gopher_duplicate_7_grams", "gopher_duplicate_8_grams",
                  "gopher_duplicate_9_grams", "gopher_duplicate_10_grams"));
  EXPECT_THAT(failed(english + repeated(" late potentials", 60), gopher),
              Contains("gopher_top_2_gram"));
  EXPECT_THAT(failed("- " + english, gopher), ElementsAre("gopher_bullet_lines"));
  EXPECT_THAT(failed(english + "...", gopher), ElementsAre("gopher_ellipsis_lines"));
  EXPECT_THAT(failed(english + repeated(" # of", 12), gopher), Contains("gopher_hashes"));
  EXPECT_THAT(failed(english + repeated("… of", 12), gopher), Contains("gopher_ellipses"));
  EXPECT_THAT(failed(english + repeated(" 1 of", 12) + repeated(" 22", 12), gopher),
              Contains("gopher_words_with_letter"));
}

TEST(C4Rules, AskForSentencesWithoutCode) {
  const auto c4 = with(RuleSet::c4);
  EXPECT_THAT(failed("One sentence that ends here is not enough for a page of text.", c4),
              ElementsAre("c4_sentences"));
  EXPECT_THAT(failed(std::string(kEnglish) + " Lorem Ipsum dolor sit amet and more.", c4),
              ElementsAre("c4_lorem_ipsum"));
  EXPECT_THAT(failed(std::string(kEnglish) + " if (x) { y(); }.", c4),
              ElementsAre("c4_curly_brackets"));
}

TEST(FinewebRules, AskForLinesOfProse) {
  const auto fineweb = with(RuleSet::fineweb);
  EXPECT_THAT(
      failed("Home of the heart\nAbout our clinic\nHow to contact us\nTerms of service", fineweb),
      ElementsAre("fineweb_line_punctuation", "fineweb_short_lines"));
  const std::string invitation = "\nSubscribe to our weekly letter on the heart now.";
  EXPECT_THAT(failed(std::string(kEnglish) + repeated(invitation, 3), fineweb),
              ElementsAre("fineweb_duplicate_line_characters"));
}

TEST(FormatConfig, IsReadFromARecipe) {
  const auto recipe =
      yaml::parse("{min_chars: 10, max_digit_ratio: 0.5, sets: [gopher, fineweb]}", "recipe.yaml");
  FormatConfig config;
  yaml::read_struct(recipe, config, {});
  EXPECT_EQ(config.min_chars, 10);
  EXPECT_EQ(config.max_digit_ratio, 0.5);
  EXPECT_THAT(config.sets, ElementsAre(RuleSet::gopher, RuleSet::fineweb));
}

TEST(FormatConfig, RefusesALeastLengthAboveTheMost) {
  FormatConfig config;
  EXPECT_THAT(config.problems(), IsEmpty());
  config.min_chars = 11;
  config.max_chars = 10;
  EXPECT_THAT(config.problems(), ElementsAre("min_chars must not exceed max_chars"));
}

TEST(FormatRules, SurviveEveryCharacterOfUnicode) {
  FormatConfig all;
  all.sets = {RuleSet::gopher, RuleSet::c4, RuleSet::fineweb};
  std::mt19937 generator(5);
  const auto random = [&] { return static_cast<char32_t>(generator()); };
  for (int trial = 0; trial < 400; ++trial) {
    std::string text;
    const char32_t block = random() % 0x110000 & ~char32_t{0xFF};
    for (int i = 0; i < 80; ++i) {
      const char32_t c = random() % 4 == 0 ? random() % 128 : block + random() % 256;
      const auto byte = [&](char32_t value) { text += static_cast<char>(value); };
      if (c < 0x80) {
        byte(c);
      } else if (c < 0x800) {
        byte(0xC0 | c >> 6), byte(0x80 | (c & 63));
      } else if (c < 0x10000) {
        byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 63)), byte(0x80 | (c & 63));
      } else {
        byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 63)), byte(0x80 | (c >> 6 & 63)),
            byte(0x80 | (c & 63));
      }
    }
    for (const RuleFailure& failure : check_format(text, all)) {
      EXPECT_TRUE(failure.value >= 0 && failure.value < 1e9) << failure.rule;
    }
  }
}

/// The data set of that name, or empty where it is not at hand.
std::filesystem::path data_set(const std::string& name) {
  const char* asked = std::getenv("CUPEL_DATA");
  const std::filesystem::path folder =
      std::filesystem::path(asked ? asked : CUPEL_SOURCE_DIR "/../shared/data") / name;
  return std::filesystem::exists(folder) ? folder : std::filesystem::path();
}

TEST(FormatRules, KeepCleanAbstractsAndFindBadOnes) {
  const std::filesystem::path folder = data_set("dirty_medical");
  if (folder.empty()) GTEST_SKIP() << "no dirty_medical; set CUPEL_DATA to the folder of data sets";
  const std::string truth_file = (folder / "dirty_medical_truth.csv.gz").string();
  const Table truth = read_table(truth_file, {}, nullptr);
  std::map<int64_t, std::string> kinds;
  for (std::size_t i = 0; i < static_cast<std::size_t>(truth.rows()); ++i) {
    const std::string& kind = truth.at("kind", truth_file).texts[i];
    const std::string& subkind = truth.at("subkind", truth_file).texts[i];
    const auto id = static_cast<int64_t>(truth.at("id", truth_file).numbers[i]);
    kinds[id] = kind == "bad_format" ? subkind : kind;
  }
  std::map<std::string, std::pair<int, int>> failures;  // of how many
  std::map<std::string, int> clean_by_rule;
  std::vector<Reject> rejects;
  for_each_row(
      folder / "dirty_medical.jsonl.gz", {},
      [&](json::Value&& row, int64_t) -> std::optional<RowProblem> {
        const std::string& kind = kinds.at(row.at("id", "row").as_int("id"));
        const auto names = failed(row.at("text", "row").as_string("text"));
        failures[kind].first += !names.empty();
        failures[kind].second += 1;
        if (kind == "clean") {
          for (const std::string& name : names) ++clean_by_rule[name];
        }
        return std::nullopt;
      },
      &rejects);
  EXPECT_EQ(failures.at("clean").first, 0) << testing::PrintToString(clean_by_rule);
  for (const char* kind :
       {"control_chars", "empty", "html_left", "mojibake", "repetition", "symbols", "too_short"})
    EXPECT_EQ(failures.at(kind).first, failures.at(kind).second) << kind;
}

}  // namespace
}  // namespace cupel::curate
