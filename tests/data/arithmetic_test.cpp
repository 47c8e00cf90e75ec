#include "data/arithmetic.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "support/errors.h"

namespace cupel {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts{""};
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

/// Recursive descent over or, and, not, < and >, + and -, *, parentheses; truth is 0 or 1.
class Calculator {
 public:
  explicit Calculator(std::string_view text) : text_(text) {}
  int value() {
    const int result = either();
    EXPECT_TRUE(text_.empty()) << "left over: " << text_;
    return result;
  }

 private:
  bool take(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  int either() {
    int result = both();
    while (take(" or ")) result |= both();
    return result;
  }
  int both() {
    int result = negation();
    while (take(" and ")) result &= negation();
    return result;
  }
  int negation() { return take("not ") ? 1 - negation() : comparison(); }
  int comparison() {
    const int left = sum();
    if (take("<")) return left < sum();
    if (take(">")) return left > sum();
    return left;
  }
  int sum() {
    int result = product();
    while (true) {
      if (take("+")) {
        result += product();
      } else if (take("-")) {
        result -= product();
      } else {
        return result;
      }
    }
  }
  int product() {
    int result = atom();
    while (take("*")) result *= atom();
    return result;
  }
  int atom() {
    if (take("true")) return 1;
    if (take("false")) return 0;
    if (take("(")) {
      const int result = sum();
      EXPECT_TRUE(take(")"));
      return result;
    }
    int result = 0;
    EXPECT_TRUE(!text_.empty() && isdigit(text_[0])) << "no number: " << text_;
    for (; !text_.empty() && isdigit(text_[0]); text_.remove_prefix(1)) {
      result = result * 10 + (text_[0] - '0');
    }
    return result;
  }

  std::string_view text_;
};

std::vector<Problem> problems(uint64_t seed, int64_t count, ProblemOptions options) {
  Rng rng(seed, "problems");
  return generate_problems(rng, count, options);
}

std::set<std::string> prompts(const std::vector<Problem>& rows) {
  std::set<std::string> result;
  for (const Problem& row : rows) result.insert(row.prompt);
  return result;
}

TEST(Arithmetic, EveryStepOfASolutionHasTheValueOfItsPrompt) {
  for (const Problem& row : problems(1, 5000, {1, kMaxProblemLevel, ProblemSplit::train})) {
    if (row.kind == ProblemKind::ordering) continue;
    const std::string prompt = row.prompt.substr(0, row.prompt.size() - 1);
    for (const std::string& step : split(row.completion, '=')) {
      ASSERT_EQ(Calculator(step).value(), Calculator(prompt).value()) << row.prompt << step;
    }
  }
}

TEST(Arithmetic, EndsWithANumberOrATruthValueThatCannotBeReducedFurther) {
  for (const Problem& row : problems(2, 2000, {1, kMaxProblemLevel, ProblemSplit::train})) {
    const std::string answer = final_answer(row.completion);
    if (row.kind == ProblemKind::arithmetic) {
      ASSERT_EQ(answer, std::to_string(Calculator(answer).value())) << row.prompt;
      ASSERT_LE(std::stoi(answer), 99);
    } else if (row.kind != ProblemKind::ordering) {
      ASSERT_TRUE(answer == "true" || answer == "false") << row.prompt << row.completion;
    }
  }
}

TEST(Arithmetic, AnOrderingIsTheOneChainThatItsLinksAllow) {
  int seen = 0;
  for (const Problem& row : problems(3, 3000, {1, kMaxProblemLevel, ProblemSplit::train})) {
    if (row.kind != ProblemKind::ordering) continue;
    ++seen;
    const auto question = split(row.prompt.substr(0, row.prompt.size() - 1), ' ');
    const auto steps = split(row.completion, '=');
    ASSERT_EQ(steps.size(), 2u);
    const auto chain = split(steps[0], '<');
    std::set<std::string> links;
    for (std::size_t i = 1; i < chain.size(); ++i) links.insert(chain[i - 1] + '<' + chain[i]);
    const auto told = split(question[0], ',');
    ASSERT_EQ(std::set<std::string>(told.begin(), told.end()), links) << row.prompt;
    ASSERT_EQ(steps[1], question[1] == "least" ? chain.front() : chain.back());
  }
  EXPECT_GT(seen, 300);
}

TEST(Arithmetic, ALevelNHasNPlusOneOperations) {
  for (const int64_t level : {1, 3, 6}) {
    for (const Problem& row : problems(4, 500, {level, level, ProblemSplit::train})) {
      ASSERT_EQ(row.level, level);
      const auto steps = static_cast<int64_t>(split(row.completion, '=').size());
      if (row.kind == ProblemKind::arithmetic || row.kind == ProblemKind::comparison) {
        ASSERT_EQ(steps, level + 1) << row.prompt << row.completion;
      } else if (row.kind == ProblemKind::boolean) {
        ASSERT_GE(steps, level);
        ASSERT_LE(steps, 2 * level + 1) << row.prompt << row.completion;
      }
    }
  }
}

TEST(Arithmetic, HalfOfTheProblemsAreArithmeticAndEveryKindAndLevelOccurs) {
  std::map<ProblemKind, int> kinds;
  std::map<int64_t, int> levels;
  for (const Problem& row : problems(5, 6000, {1, 3, ProblemSplit::train})) {
    ++kinds[row.kind];
    ++levels[row.level];
  }
  // False alarm: five standard deviations, about one in a million a line.
  EXPECT_NEAR(kinds[ProblemKind::arithmetic], 3000, 200);
  EXPECT_NEAR(kinds[ProblemKind::comparison], 1000, 150);
  EXPECT_NEAR(kinds[ProblemKind::boolean], 1000, 150);
  EXPECT_NEAR(kinds[ProblemKind::ordering], 1000, 150);
  for (const int64_t level : {1, 2, 3}) EXPECT_NEAR(levels[level], 2000, 190);
}

TEST(Arithmetic, TrainAndTestNeverShareAPromptWhateverTheSeeds) {
  const auto test = prompts(problems(6, 300, {1, 2, ProblemSplit::test}));
  for (const uint64_t seed : {6u, 7u, 8u}) {
    for (const auto& prompt : prompts(problems(seed, 20000, {1, 2, ProblemSplit::train}))) {
      ASSERT_FALSE(test.contains(prompt)) << prompt;
    }
  }
}

TEST(Arithmetic, ATestSetRepeatsNoPrompt) {
  EXPECT_EQ(prompts(problems(9, 1000, {1, 2, ProblemSplit::test})).size(), 1000u);
}

TEST(Arithmetic, TheSameSeedGivesTheSameProblemsAndAnotherSeedOthers) {
  const auto text = [](const std::vector<Problem>& rows) {
    std::string all;
    for (const Problem& row : rows) all += row.prompt + row.completion + '\n';
    return all;
  };
  const ProblemOptions options{1, 4, ProblemSplit::train};
  EXPECT_EQ(text(problems(10, 200, options)), text(problems(10, 200, options)));
  EXPECT_NE(text(problems(10, 200, options)), text(problems(11, 200, options)));
}

TEST(Arithmetic, MoreTestProblemsThanThereAreIsAnErrorThatSaysSo) {
  EXPECT_THAT(
      [] {
        problems(12, 1000000, {1, 1, ProblemSplit::test});
      },
      throws_error(ErrorKind::config, "[data.arithmetic]: hardly more than"));
}

TEST(Arithmetic, LevelsOutOfRangeAreAnError) {
  for (const auto& [low, high] : {std::pair{0, 2}, {1, 7}, {3, 2}}) {
    const ProblemOptions options{low, high, ProblemSplit::train};
    EXPECT_THAT([&] { problems(1, 1, options); },
                throws_error(ErrorKind::config, "take levels from 1 to 6, the smaller one first"));
  }
}

TEST(FinalAnswer, IsWhatFollowsTheLastEqualsSignOfTheFirstLine) {
  EXPECT_EQ(final_answer("7*2-5=14-5=9"), "9");
  EXPECT_EQ(final_answer(" 14 - 5 = 9 \n3=4"), "9");
  EXPECT_EQ(final_answer("\n42"), "42");
  EXPECT_EQ(final_answer("b<a=c<b<a=c\r\n"), "c");
}

TEST(FinalAnswer, IsEmptyWhereNothingFollows) {
  EXPECT_EQ(final_answer(""), "");
  EXPECT_EQ(final_answer(" \n "), "");
  EXPECT_EQ(final_answer("14-5="), "");
}

}  // namespace
}  // namespace cupel
