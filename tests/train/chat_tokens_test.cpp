#include "train/chat_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/tokenizer_json.h"

namespace cupel::train {
namespace {

using testing::ElementsAre;

/// Bytes, "ab" 256, "abc" 257, "<s>" 258, which begins and ends texts.
Tokenizer tokenizer() {
  return Tokenizer::parse(json::dump(tokenizer_json()), "m/tokenizer.json",
                          R"({"bos_token": "<s>", "eos_token": "<s>"})");
}

TEST(ChatTokens, TokensThatBeginInATurnAreLearned) {
  const ChatText chat{"q:ab<s>z", {{2, 7}}};
  const MaskedTokens tokens = encode_chat(chat, false, tokenizer(), "rows:1", {});
  EXPECT_THAT(tokens.ids, ElementsAre('q', ':', 256, 258, 'z'));
  EXPECT_THAT(tokens.learned, ElementsAre(0, 0, 1, 1, 0));
  EXPECT_THAT(encode_chat(chat, true, tokenizer(), "rows:1", {}).learned, testing::Each(1));
}

TEST(ChatTokens, ATurnWithoutItsEndIsAnErrorThatShowsItsTokens) {
  EXPECT_THAT(
      [] {
        encode_chat({"q:ab", {{2, 4}}}, false, tokenizer(), "rows:1", {});
      },
      throws_error(ErrorKind::data,
                   "rows:1: a turn that is learned ends without a special token, so the "
                   "model would not learn to stop: \"ab\" 256"));
}

TEST(ChatTokens, TwoBeginningsAreAnErrorThatShowsThem) {
  EXPECT_THAT(
      [] {
        refuse_two_beginnings({{258, 258, 'a'}, {0, 0, 1}}, tokenizer(), "rows:1");
      },
      throws_error(ErrorKind::data,
                   "rows:1: the beginning-of-text token stands twice: \"<s>\" 258 \"<s>\" "
                   "258 \"a\" 97"));
  refuse_two_beginnings({{258, 'a', 258}, {0, 0, 1}}, tokenizer(), "rows:1");
}

}  // namespace
}  // namespace cupel::train
