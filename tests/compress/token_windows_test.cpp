#include "compress/token_windows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compress/small_language.h"
#include "support/errors.h"

namespace cupel::compress {
namespace {

TEST(TokenWindows, CutEachTextAndNoneIsASingleToken) {
  const SmallLanguage task;
  cupel::Run run{RunOptions{}};
  const std::vector<TokenWindow> windows = read_windows(task.data(), task.tokenizer, 64, 1000, run);
  EXPECT_EQ(windows[0].size(), 64u);
  EXPECT_GT(windows.size(), 6u);
  for (const TokenWindow& window : windows) EXPECT_GE(window.size(), 2u);
  EXPECT_EQ(task.tokenizer.decode(windows[0]).substr(0, 7), "word 0 ");
  DataConfig one = task.data();
  one.rows = 1;
  EXPECT_LT(read_windows(one, task.tokenizer, 64, 1000, run).size(), windows.size());
  EXPECT_EQ(read_windows(task.data(), task.tokenizer, 64, 2, run).size(), 2u);
}

TEST(TokenWindows, DataWithoutTextIsAnError) {
  const SmallLanguage task;
  const TemporaryFolder folder;
  DataConfig data;
  data.path = {folder.write("empty.jsonl", "{\"text\":\"\"}\n").string()};
  cupel::Run run{RunOptions{}};
  EXPECT_THAT([&] { read_windows(data, task.tokenizer, 64, 10, run); },
              throws_error(ErrorKind::data, "holds no text of two tokens"));
}

}  // namespace
}  // namespace cupel::compress
