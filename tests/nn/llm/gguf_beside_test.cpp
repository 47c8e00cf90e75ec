#include "nn/llm/gguf_beside.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/files.h"
#include "support/tokenizer_json.h"

namespace cupel::llm {
namespace {

TEST(GgufBeside, HasTheChatTemplateOfTheFolderAndWhatEndsAnswers) {
  const TemporaryFolder folder;
  const Tokenizer tokenizer = Tokenizer::parse(json::dump(tokenizer_json()), "tokenizer.json");
  EXPECT_EQ(gguf_beside(folder.path(), tokenizer, 259).chat_template, "");
  folder.write("chat_template.jinja", "{{ messages }}");
  folder.write("generation_config.json", R"({"eos_token_id": [3, 5]})");
  const GgufBeside beside = gguf_beside(folder.path(), tokenizer, 259);
  EXPECT_EQ(beside.chat_template, "{{ messages }}");
  EXPECT_THAT(beside.endings, testing::ElementsAre(3, 5));
  EXPECT_EQ(beside.vocab_size, 259);
}

}  // namespace
}  // namespace cupel::llm
