#include "pipeline/eval_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/text.h"

namespace cupel::pipeline::eval {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(EvalBlocks, EndAtLineEndsAndLoseNothing) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "line " + std::to_string(i) + "\n";
  const std::vector<std::string> blocks = cut_blocks({text});
  EXPECT_GT(blocks.size(), 3u);
  std::string joined;
  for (const std::string& block : blocks) {
    EXPECT_LE(block.size(), 4096u);
    EXPECT_TRUE(block.ends_with("\n"));
    joined += block;
  }
  EXPECT_EQ(joined, text);
}

TEST(EvalBlocks, AnEndlessLineIsCutBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 4000; ++i) text += "€";  // three bytes
  std::string joined;
  for (const std::string& block : cut_blocks({text})) {
    EXPECT_EQ(valid_utf8_prefix(block), block.size());
    joined += block;
  }
  EXPECT_EQ(joined, text);
}

TEST(EvalBlocks, DocumentsAreNotJoinedAndBlankOnesAreLeftOut) {
  EXPECT_THAT(cut_blocks({"a", "b\n", " \n\t", ""}), ElementsAre("a", "b\n"));
  EXPECT_THAT(cut_blocks({}), IsEmpty());
}

TEST(EvalWeigh, BlocksCountByTheirBytes) {
  // One block of 1 byte at 8 bits, one of 3 bytes at 0 bits: 8 bits over 4 bytes.
  const LikelihoodScorer scorer = [](std::string_view, std::string_view target) {
    return Likelihood{target.size() == 1 ? -8 * std::log(2.0) : 0, 1};
  };
  RunOptions options;
  options.threads = 1;
  cupel::Run run(options);
  Predictions predictions(run, "predictions.jsonl");
  TaskConfig task;
  task.name = "t";
  const TaskReport report = weigh(task, {"a", "bbb"}, scorer, nullptr, run, predictions);
  EXPECT_NEAR(report.value, 2, 1e-12);
  EXPECT_NEAR(report.interval[0], 0, 1e-12);
  EXPECT_NEAR(report.interval[1], 8, 1e-12);
  EXPECT_EQ(report.tokens, 2);
  EXPECT_NEAR(*report.nats_per_token, 4 * std::log(2.0), 1e-12);
  EXPECT_NEAR(*report.perplexity, 16, 1e-9);  // 8 bits over 2 tokens
  EXPECT_FALSE(report.baseline.has_value());
}

}  // namespace
}  // namespace cupel::pipeline::eval
